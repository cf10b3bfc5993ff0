// SPDX-License-Identifier: Apache-2.0
import { createExecaRunner } from "../../src/supervise/execa-runner.ts";
import { testRunner } from "./runner-contract.ts";

testRunner("the execa runner", createExecaRunner);
