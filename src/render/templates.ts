// SPDX-License-Identifier: Apache-2.0
import { existsSync, readFileSync } from "node:fs";
import Handlebars from "handlebars";

/** Beside the bundle, or at the top of the source tree. */
const PLACES = [new URL("./templates/", import.meta.url), new URL("../../templates/", import.meta.url)];

export function readTemplate(name: string): string {
  const url = PLACES.map((place) => new URL(name, place)).find((candidate) => existsSync(candidate));
  if (url === undefined) throw new Error(`the template ${name} is missing`);
  return readFileSync(url, "utf8");
}

/** Reads and compiles a template of ours. Values are not escaped but refused: see safe.ts. */
export function loadTemplate<View>(name: string): (view: View) => string {
  return Handlebars.compile<View>(readTemplate(name), {
    noEscape: true,
    strict: true,
    knownHelpersOnly: true,
  });
}
