// SPDX-License-Identifier: Apache-2.0
/**
 * The single-file executable's first code: it unpacks what is embedded (the data plane, the bundle, the templates) into a
 * private directory, laid out as dist is, checks every byte of it, and goes on there.
 */
import { getAsset } from "node:sea";
import { pathToFileURL } from "node:url";
import { constants, Script } from "node:vm";
import { chooseDirectory, type EmbeddedFile, unpack } from "./unpack.ts";

/** An embedded ES module can't be imported from here; one on disk can, by the default loader. */
async function start(): Promise<void> {
  if (process.argv[2] === "--licences") {
    process.stdout.write(getAsset("licences.txt", "utf8"));
    return;
  }
  const files = JSON.parse(getAsset("files.json", "utf8")) as EmbeddedFile[];
  const dir = chooseDirectory();
  unpack(dir, files, (path) => Buffer.from(getAsset(path)));
  const url = pathToFileURL(`${dir}/lib/evener.mjs`).href;
  // Node warns that this way is an experiment; it is tested with the very Node that is embedded.
  const { emitWarning } = process;
  process.emitWarning = () => undefined;
  const script = new Script(`import(${JSON.stringify(url)})`, {
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  // Being the first of its kind it is the main module, and starts itself.
  const loaded = script.runInThisContext();
  process.emitWarning = emitWarning;
  await loaded;
}

start().catch((error: unknown) => {
  process.stderr.write(`evener: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 70;
});
