#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
process.stderr.write("evener: no command yet\n");
process.exitCode = 64;
