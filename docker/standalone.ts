// SPDX-License-Identifier: Apache-2.0
/** standalone.ts OUT: the single-file executable: Node with the bundle, the templates and the data plane embedded. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { build } from "esbuild";
import { type Component, listComponents, ROOT } from "./components.ts";

const out = process.argv[2] ?? join(ROOT, "dist/evener-linux-x64");
const node = join(ROOT, `node_modules/node-linux-${process.arch}`);
/** Node's own mark for "something is embedded". */
const FUSE = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

const work = mkdtempSync(join(tmpdir(), "evener-standalone-"));
try {
  await make();
} finally {
  rmSync(work, { recursive: true });
}

async function make(): Promise<void> {
  const templates = readdirSync(join(ROOT, "templates"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(join(ROOT, "templates"), join(parentPath, name)))
    .sort();
  const paths = ["bin/hitch", "lib/evener.mjs", ...templates.map((name) => `lib/templates/${name}`)];
  const files = paths.map((path) => ({
    path,
    sha256: createHash("sha256")
      .update(readFileSync(join(ROOT, "dist", path)))
      .digest("hex"),
    executable: path.startsWith("bin/"),
  }));
  writeFileSync(join(work, "files.json"), JSON.stringify(files));
  writeFileSync(join(work, "licences.txt"), await collectLicences());
  await build({
    absWorkingDir: ROOT,
    entryPoints: ["src/standalone/main.ts"],
    bundle: true,
    platform: "node",
    target: "node24",
    format: "cjs",
    outfile: join(work, "main.cjs"),
    logLevel: "warning",
  });
  const config = {
    main: join(work, "main.cjs"),
    output: join(work, "blob"),
    disableExperimentalSEAWarning: true,
    // As src/cli/launcher.sh has it, where the reason is.
    execArgv: ["--max-semi-space-size=4"],
    assets: {
      ...Object.fromEntries(paths.map((path) => [path, join(ROOT, "dist", path)])),
      "files.json": join(work, "files.json"),
      "licences.txt": join(work, "licences.txt"),
    },
  };
  writeFileSync(join(work, "config.json"), JSON.stringify(config));
  execFileSync(join(node, "bin/node"), ["--experimental-sea-config", join(work, "config.json")], {
    stdio: "pipe",
  });
  const file = join(work, "evener");
  copyFileSync(join(node, "bin/node"), file);
  // Before the blob goes in: strip would take it for something nobody needs.
  execFileSync("strip", [file]);
  const postject = join(ROOT, "node_modules/.bin/postject");
  const command = [postject, file, "NODE_SEA_BLOB", join(work, "blob"), "--sentinel-fuse", FUSE];
  // Its library warns about names of Node's notes; what counts is the status.
  execFileSync(join(node, "bin/node"), command, { stdio: "pipe" });
  execFileSync("install", ["-m", "755", file, `${out}.new`]);
  renameSync(`${out}.new`, out);
  console.log(`${out}: ${readFileSync(out).length.toLocaleString("en")} bytes`);
}

/** One text, since there is but one file to put it into. */
async function collectLicences(): Promise<string> {
  execFileSync(join(ROOT, "vendor/licences.sh"), [join(work, "licences")]);
  const parts = [readFileSync(join(ROOT, "LICENSE"), "utf8"), readFileSync(join(ROOT, "NOTICE"), "utf8")];
  for (const component of await listComponents(process.arch === "x64" ? "amd64" : "arm64")) {
    // Shared libraries are the machine's own here.
    if (component.group === "debian") continue;
    for (const path of component.texts) {
      const { name, version } = component;
      parts.push(`${"=".repeat(78)}\n${name} ${version}\n\n${readFileSync(locate(component, path), "utf8")}`);
    }
  }
  return parts.join("\n");
}

function locate({ group, dir = "" }: Component, path: string): string {
  if (group === "npm") return join(ROOT, dir, basename(path));
  if (group === "runtime") return join(node, "LICENSE");
  const file = join(work, "licences", path);
  if (!existsSync(file)) throw new Error(`${file} is missing`);
  return file;
}
