// SPDX-License-Identifier: Apache-2.0
/** `evener run` from the sources, with the children's programs from a directory of the test's choice. */
import { Command } from "commander";
import { run } from "../../src/cli/run.ts";
import { addRunOptions, toRunSettings } from "../../src/cli/settings.ts";

const command = addRunOptions(new Command("run"));
command.parse(process.argv.slice(2), { from: "user" });
process.exitCode = await run(toRunSettings(command), process.env.EVENER_TEST_BIN_DIR);
