// SPDX-License-Identifier: Apache-2.0
/**
 * NOTICE and the licence texts.
 *   notice.ts write                      NOTICE at the top of the repository
 *   notice.ts check                      fails when NOTICE does not say what is shipped
 *   notice.ts install ARCH LOCK DIR      NOTICE and the texts of npm packages, as the image has them
 *   notice.ts verify ARCH LOCK DIR       fails when a component has no licence text below DIR
 */
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Arch, type Component, listComponents, ROOT } from "./components.ts";

const NOTICE = join(ROOT, "NOTICE");
const LICENSES = "usr/share/licenses";

const GROUPS: Record<Component["group"], string> = {
  program: "Linked into the data plane (hitch, balance) and the init",
  runtime: "The controller's runtime",
  debian: "Shared libraries and CA certificates, unmodified from Debian",
  npm: "Bundled into the controller",
};

const HEAD = `Evener
Copyright the Evener authors
Licensed under the Apache License, Version 2.0 (LICENSE).

What the container image and the single-file executable contain besides Evener's own code. In the image the texts lie
in /usr/share/licenses, under the names below. The source of what is under the GPL, the LGPL or the MPL is offered in the
same place as the image, as a second image (docs/image.md). This file is written by \`make notice\`.
`;

export function formatNotice(components: readonly Component[]): string {
  const sections = (Object.keys(GROUPS) as Component["group"][]).map((group) => {
    const rows = components
      .filter((component) => component.group === group)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ name, version, licence, texts }) => [name, version, licence, texts.join(" ")]);
    const widths = [0, 1, 2].map((i) => Math.max(...rows.map((row) => (row[i] ?? "").length)));
    const text = rows.map((row) => row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  "));
    return `\n${GROUPS[group]}\n\n${text.map((row) => `  ${row}\n`).join("")}`;
  });
  return `${HEAD}${sections.join("")}`;
}

const [command, arch = "amd64", lock, dir = ""] = process.argv.slice(2) as [string?, Arch?, string?, string?];
const components = await listComponents(arch, lock);
const text = formatNotice(components);
if (command === "write") writeFileSync(NOTICE, text);
else if (command === "check") check();
else if (command === "install") install();
else if (command === "verify") verify();
else process.exitCode = 64;

function check(): void {
  if (readFileSync(NOTICE, "utf8") === text) return;
  const known = new Set(readFileSync(NOTICE, "utf8").split("\n"));
  const missing = text.split("\n").filter((line) => !known.has(line));
  console.error("check: NOTICE does not say what is shipped; read what changed, then run `make notice`:");
  for (const line of missing) console.error(line);
  process.exitCode = 1;
}

function install(): void {
  mkdirSync(join(dir, "usr/share/doc/evener"), { recursive: true });
  writeFileSync(join(dir, "usr/share/doc/evener/NOTICE"), text);
  for (const { dir: from, texts } of components) {
    if (from === undefined) continue;
    for (const path of texts) {
      const to = join(dir, LICENSES, path);
      mkdirSync(dirname(to), { recursive: true });
      cpSync(join(ROOT, from, basename(path)), to);
    }
  }
}

function verify(): void {
  for (const { name, texts } of components) {
    for (const path of texts) {
      if ((statSync(join(dir, LICENSES, path), { throwIfNoEntry: false })?.size ?? 0) > 0) continue;
      console.error(`${name}: its licence text ${LICENSES}/${path} is missing`);
      process.exitCode = 1;
    }
  }
}
