// SPDX-License-Identifier: Apache-2.0
// The fetch and build scripts, driven with packages made up here and a local server as their origin.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { access, chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";

const vendor = join(import.meta.dirname, "../../vendor");

interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface Package {
  sha256?: string;
  licenseSha256?: string;
  origins?: string;
  needs?: string;
  build?: string;
}

let dir: string;
let tarball: Buffer;
let base: string;
let requests: IncomingMessage[] = [];
const sha256 = (data: Buffer | string) => createHash("sha256").update(data).digest("hex");
const license = "Do what is right.\n";

const server = createServer((request, response) => {
  requests.push(request);
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "")?.[1] ?? 0);
  if (request.url !== "/tiny.tar" || from >= tarball.length) {
    response.writeHead(request.url === "/tiny.tar" ? 416 : 404).end();
  } else if (from > 0) {
    const range = `bytes ${from}-${tarball.length - 1}/${tarball.length}`;
    response.writeHead(206, { "content-range": range }).end(tarball.subarray(from));
  } else {
    response.end(tarball);
  }
});

async function run(file: string, args: string[], env: Record<string, string> = {}): Promise<Run> {
  const child = spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      EVENER_CACHE: join(dir, "cache"),
      EVENER_PACKAGES: join(dir, "packages"),
      EVENER_CC: join(dir, "cc"),
      ...env,
    },
  });
  const result: Run = { code: null, stdout: "", stderr: "" };
  child.stdout.on("data", (data) => {
    result.stdout += data;
  });
  child.stderr.on("data", (data) => {
    result.stderr += data;
  });
  [result.code] = await once(child, "close");
  return result;
}

const fetchIt = (name = "tiny") => run(join(vendor, "fetch.sh"), [name]);
const buildIt = (name = "tiny") => run(join(vendor, "build.sh"), [name]);
const downloads = () => readdir(join(dir, "cache/dl"));

function declare(name: string, p: Package = {}) {
  return writeFile(
    join(dir, `packages/${name}.sh`),
    `version=1.0
spdx=MIT
sha256="${p.sha256 ?? sha256(tarball)}"
license_file=LICENSE
license_sha256=${p.licenseSha256 ?? sha256(license)}
origins="${p.origins ?? `${base}/tiny.tar`}"
needs="${p.needs ?? ""}"
build() {
	${p.build ?? 'mkdir -p "$DEST"; cp LICENSE "$DEST/product"'}
}
`,
  );
}

before(async () => {
  const made = await mkdtemp(join(tmpdir(), "evener-vendor-"));
  dir = made;
  await mkdir(join(made, "tiny-1.0"));
  await writeFile(join(made, "tiny-1.0/LICENSE"), license);
  await writeFile(join(made, "tiny-1.0/filler"), "x".repeat(100_000));
  const tar = await run("tar", ["-cf", join(made, "tiny.tar"), "-C", made, "tiny-1.0"]);
  assert.equal(tar.code, 0, tar.stderr);
  tarball = await readFile(join(made, "tiny.tar"));
  await rm(made, { recursive: true });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  assert(address !== null && typeof address === "object");
  base = `http://127.0.0.1:${address.port}`;
});

after(() => server.close());

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "evener-vendor-"));
  requests = [];
  await mkdir(join(dir, "packages"));
  // Only asked for its name and version here.
  await writeFile(join(dir, "cc"), "#!/bin/sh\necho some-compiler\n");
  await chmod(join(dir, "cc"), 0o755);
});

afterEach(() => rm(dir, { recursive: true }));

describe("vendor/fetch.sh", () => {
  it("keeps a verified tarball and does not ask for it again", async () => {
    await declare("tiny");
    const first = await fetchIt();
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(await downloads(), ["tiny-1.0.src"]);
    const second = await fetchIt();
    assert.equal(second.code, 0);
    assert.match(second.stderr, /cached/);
    assert.equal(requests.length, 1);
  });

  it("stops at a wrong hash, naming package, expected and found value, and keeps nothing", async () => {
    await declare("tiny", { sha256: "f".repeat(64), origins: `${base}/tiny.tar ${base}/never-asked` });
    const { code, stderr } = await fetchIt();
    assert.equal(code, 65);
    assert.match(stderr, /tiny 1\.0: wrong SHA-256/);
    assert.match(stderr, new RegExp(`expected +${"f".repeat(64)}`));
    assert.match(stderr, new RegExp(`found +${sha256(tarball)}`));
    assert.deepEqual(await downloads(), []);
    assert.equal(requests.length, 1, "the next origin must not hide that this one is wrong");
  });

  it("stops at a cached tarball that was changed", async () => {
    await declare("tiny");
    await mkdir(join(dir, "cache/dl"), { recursive: true });
    await writeFile(join(dir, "cache/dl/tiny-1.0.src"), "something else");
    const { code, stderr } = await fetchIt();
    assert.equal(code, 65);
    assert.match(stderr, new RegExp(`found +${sha256("something else")}`));
  });

  it("accepts any of several hashes", async () => {
    await declare("tiny", { sha256: `${"0".repeat(64)}\n\t${sha256(tarball)}` });
    const { code, stderr } = await fetchIt();
    assert.equal(code, 0, stderr);
  });

  for (const kept of [50_000, Number.POSITIVE_INFINITY]) {
    it(`goes on with a partial download (${kept} bytes)`, async () => {
      await declare("tiny");
      const sum = await run("sh", ["-c", 'printf %s "$1" | cksum', "sh", `${base}/tiny.tar`]);
      await mkdir(join(dir, "cache/dl"), { recursive: true });
      await writeFile(
        join(dir, `cache/dl/tiny-1.0.${sum.stdout.split(" ")[0]}.part`),
        tarball.subarray(0, Math.min(kept, tarball.length)),
      );
      const { code, stderr } = await fetchIt();
      assert.equal(code, 0, stderr);
      assert.equal(requests[0]?.headers.range, `bytes=${Math.min(kept, tarball.length)}-`);
      assert.deepEqual(await readFile(join(dir, "cache/dl/tiny-1.0.src")), tarball);
    });
  }

  it("falls through to the next origin", async () => {
    await declare("tiny", { origins: `http://127.0.0.1:1/closed ${base}/missing ${base}/tiny.tar` });
    const { code, stderr } = await fetchIt();
    assert.equal(code, 0, stderr);
    assert.match(stderr, /not reached: http:\/\/127\.0\.0\.1:1\/closed/);
    assert.match(stderr, new RegExp(`verified, from ${base}/tiny.tar`));
  });

  it("says where a tarball can be put when no origin is reached", async () => {
    await declare("tiny", { origins: `${base}/missing` });
    const { code, stderr } = await fetchIt();
    assert.equal(code, 69);
    assert.match(stderr, /no origin reached; log: .*fetch-tiny\.log/);
    assert.match(stderr, /cache\/dl\/tiny-1\.0\.src/);
  });
});

describe("vendor/build.sh", () => {
  it("builds once, and anew when a recipe or something below it changes", async () => {
    await declare("tiny");
    await declare("upper", {
      needs: "tiny",
      build: 'mkdir -p "$DEST"; cp "$(prefix_of tiny)/product" "$DEST/copy"',
    });
    const first = await buildIt("upper");
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stderr, /tiny +1\.0 +built in[\s\S]*upper +1\.0 +built in/);
    const second = await buildIt("upper");
    assert.match(second.stderr, /tiny +1\.0 +built \(cached\)\nupper +1\.0 +built \(cached\)/);
    await declare("tiny", { build: 'mkdir -p "$DEST"; echo new >"$DEST/product"' });
    const third = await buildIt("upper");
    assert.equal(third.code, 0, third.stderr);
    assert.match(third.stderr, /upper +1\.0 +built in/);
    const copies = (await readdir(join(dir, "cache/out"))).filter((name) => name.startsWith("upper-"));
    assert.equal(copies.length, 2);
  });

  it("stops at a changed licence", async () => {
    await declare("tiny", { licenseSha256: "a".repeat(64) });
    const { code, stderr } = await buildIt();
    assert.equal(code, 65);
    assert.match(stderr, /tiny 1\.0: licence file LICENSE changed/);
    await assert.rejects(access(join(dir, "cache/out/tiny")));
  });

  it("stops at the first failing line of a recipe and leaves no product", async () => {
    await declare("tiny", { build: 'mkdir -p "$DEST"\n\techo before\n\tfalse\n\techo after' });
    await declare("upper", { needs: "tiny" });
    const { code, stderr } = await buildIt("upper");
    assert.equal(code, 70);
    assert.match(stderr, /tiny 1\.0: build failed; log: .*build-tiny\.log/);
    assert.equal(await readFile(join(dir, "cache/log/build-tiny.log"), "utf8"), "before\n");
    assert.deepEqual(await readdir(join(dir, "cache/out")), []);
    await declare("tiny");
    const again = await buildIt("upper");
    assert.equal(again.code, 0, again.stderr);
    assert.equal(requests.length, 2, "one download for each package, none repeated");
  });
});

describe("vendor/upstream.sh", () => {
  const name = "balance-upstream";
  const upstream = () => run(join(vendor, "upstream.sh"), [], { EVENER_BIN: join(dir, "bin") });
  const products = () => readdir(join(dir, "bin")).catch(() => []);
  const recipe =
    'mkdir -p "$DEST/bin" "$DEST/share"; cp LICENSE "$DEST/share/COPYING"; echo program >"$DEST/bin/balance"';

  it("puts the program down with its licence and its source", async () => {
    await declare(name, { build: recipe, licenseSha256: "by-tarball" });
    const { code, stderr } = await upstream();
    assert.equal(code, 0, stderr);
    assert.deepEqual((await products()).sort(), [name, `${name}-1.0.tar.gz`, `${name}.COPYING`]);
    assert.deepEqual(await readFile(join(dir, `bin/${name}-1.0.tar.gz`)), tarball);
    assert.equal(await readFile(join(dir, `bin/${name}.COPYING`), "utf8"), license);
  });

  it("says where to put the tarball when it can't be fetched, and takes it from there", async () => {
    await declare(name, { build: recipe, origins: `${base}/missing` });
    const first = await upstream();
    assert.equal(first.code, 69);
    assert.match(first.stderr, new RegExp(`\n +${join(dir, `cache/dl/${name}-1.0.src`)}\n`));
    assert.deepEqual(await products(), []);
    await writeFile(join(dir, `cache/dl/${name}-1.0.src`), tarball);
    const second = await upstream();
    assert.equal(second.code, 0, second.stderr);
  });

  it("refuses a file that is not the released one", async () => {
    await declare(name, { build: recipe });
    await mkdir(join(dir, "cache/dl"), { recursive: true });
    await writeFile(join(dir, `cache/dl/${name}-1.0.src`), "something else");
    const { code, stderr } = await upstream();
    assert.equal(code, 65);
    assert.match(stderr, /wrong SHA-256[\s\S]*not Balance 1\.0 as released/);
    assert.deepEqual(await products(), []);
  });
});

it("every package file declares what a build and a report need", async () => {
  const files = (await readdir(join(vendor, "packages"))).filter((name) => name.endsWith(".sh"));
  assert(files.length > 0);
  for (const file of files) {
    const print = 'echo "$version|$spdx|$license_file|$license_sha256"; echo "$sha256"; echo "$origins"';
    const { stdout } = await run("bash", [
      "-eu",
      "-c",
      `. "$1"; ${print}`,
      "bash",
      join(vendor, "packages", file),
    ]);
    assert.match(
      stdout,
      file === "balance-upstream.sh"
        ? /^3\.57\|GPL-2\.0-only\|COPYING\|by-tarball\n[0-9a-f]{64}\nhttps:[^\s]+\n$/
        : /^[\w.]+\|[\w.+-]+\|[\w.]+\|[0-9a-f]{64}\n\s*[0-9a-f]{64}[\s\S]*\n\s*https?:[\s\S]*debian:/,
      file,
    );
  }
});
