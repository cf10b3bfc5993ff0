// SPDX-License-Identifier: Apache-2.0
// What docker/build.sh asks of docker, podman and buildah: programs of those names write down how they are called. That a
// real one does it is shown elsewhere (docs/image.md says for which).
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import { ROOT } from "../../docker/components.ts";

const BASE = "docker.io/library/debian:bookworm-slim";

/** FAILS: calls that fail, by their first words. HELP: what `push --help` says. */
const FAKE = `#!/bin/sh
printf '%s' "\${0##*/}" >>"$FAKE_LOG"; printf '\\037%s' "$@" >>"$FAKE_LOG"; echo >>"$FAKE_LOG"
all="\${0##*/} $* "
case $all in *'push --help ') echo "$FAKE_HELP"; exit ;; esac
IFS=,
for call in $FAKE_FAILS; do case $all in "$call "*) exit 1 ;; esac; done
for last; do :; done
case $last in oci-archive:*) file=\${last#oci-archive:}; cp "$FAKE_ARCHIVE" "\${file%%:*}" ;; esac
`;

class World {
  readonly dir: string;
  readonly cache: string;
  readonly out: string;

  constructor(t: TestContext, names: readonly string[]) {
    this.dir = mkdtempSync(join(tmpdir(), "evener-build-test-"));
    t.after(() => rmSync(this.dir, { recursive: true }));
    this.cache = join(this.dir, "cache");
    this.out = join(this.dir, "out.tar");
    mkdirSync(join(this.dir, "bin"));
    for (const name of names) {
      writeFileSync(join(this.dir, "bin", name), FAKE);
      chmodSync(join(this.dir, "bin", name), 0o755);
    }
    // As if made by an earlier run.
    mkdirSync(join(this.cache, "containers"), { recursive: true });
    const machine = process.arch === "x64" ? "amd64" : process.arch;
    writeFileSync(join(this.cache, `containers/base-${machine}.tar`), "");
    makeArchive(this.dir);
  }

  /** Runs build.sh; `calls` are the fakes' argument vectors, name first. */
  build(options: { tool?: string; fails?: string; help?: string; args?: readonly string[]; env?: object }) {
    const log = join(this.dir, "log");
    const { status, stderr, stdout } = spawnSync(join(ROOT, "docker/build.sh"), options.args ?? ["amd64"], {
      encoding: "utf8",
      env: {
        PATH: `${join(this.dir, "bin")}:/usr/bin:/bin`,
        HOME: this.dir,
        EVENER_CACHE: this.cache,
        EVENER_IMAGE_OUT: this.out,
        EVENER_IMAGE_TOOL: options.tool ?? "docker podman",
        FAKE_LOG: log,
        FAKE_FAILS: options.fails ?? "",
        FAKE_HELP: options.help ?? "",
        FAKE_ARCHIVE: join(this.dir, "archive.tar"),
        ...options.env,
      },
    });
    const text = existsSync(log) ? readFileSync(log, "utf8") : "";
    const calls = text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\u001f"));
    return { status, stderr, stdout, calls };
  }
}

/** The least that an image is: an SBOM in a layer, a manifest, an index. */
function makeArchive(dir: string): void {
  const root = join(dir, "root");
  mkdirSync(join(root, "usr/share/doc/evener"), { recursive: true });
  writeFileSync(join(root, "usr/share/doc/evener/sbom.spdx.json"), '{"the":"SBOM"}');
  const blobs = join(dir, "oci/blobs/sha256");
  mkdirSync(blobs, { recursive: true });
  const put = (content: Buffer | string) => {
    const hash = createHash("sha256").update(content).digest("hex");
    writeFileSync(join(blobs, hash), content);
    return { digest: `sha256:${hash}` };
  };
  const config = put("{}");
  const layers = [put(gzipSync(execFileSync("tar", ["-C", root, "-c", "usr"])))];
  const manifests = [put(JSON.stringify({ config, layers }))];
  writeFileSync(join(dir, "oci/index.json"), JSON.stringify({ manifests }));
  execFileSync("tar", ["-C", join(dir, "oci"), "-cf", join(dir, "archive.tar"), "index.json", "blobs"]);
}

/** The arguments of the build of the image itself, not of a base. */
function findBuild(calls: readonly (readonly string[])[]): readonly string[] {
  const found = calls.find((call) => call.includes("docker/Dockerfile"));
  assert(found, JSON.stringify(calls));
  return found;
}

const valuesOf = (call: readonly string[], option: string) =>
  call.flatMap((word, i) => (call[i - 1] === option ? [word] : []));

describe("docker/build.sh", () => {
  it("with docker: the server's own builder, its image saved, the archive written by skopeo", (t) => {
    const world = new World(t, ["docker", "podman", "skopeo"]);
    const { status, stderr, calls } = world.build({});
    assert.equal(status, 0, stderr);
    const build = findBuild(calls);
    assert.deepEqual(build.slice(0, 6), ["docker", "buildx", "build", "--builder", "default", "--load"]);
    assert.deepEqual(valuesOf(build, "--platform"), ["linux/amd64"]);
    assert.match(valuesOf(build, "--secret").join(" "), /^id=npmrc,src=\/\S+ id=ca,src=\/\S+$/);
    assert.deepEqual(valuesOf(build, "--build-context"), [`dl=${world.cache}/dl`]);
    assert.equal(build.at(-1), ".");
    const [tag = ""] = valuesOf(build, "-t");
    const [save, copy] = calls.slice(-2);
    assert.deepEqual(save?.slice(0, 3), ["docker", "save", "--output"]);
    assert.equal(save?.[4], tag);
    assert.equal(copy?.[0], "skopeo");
    assert.deepEqual(copy?.slice(-2), [`docker-archive:${save?.[3]}`, `oci-archive:${world.out}.new:${tag}`]);
    assert(existsSync(world.out));
    assert.equal(readFileSync(join(world.dir, "out.spdx.json"), "utf8"), '{"the":"SBOM"}');
    assert(!calls.some(([name]) => name === "podman"));
  });

  it("with docker and no registry: a base of its own name, so that it does not pass for Debian's", (t) => {
    const world = new World(t, ["docker", "skopeo"]);
    const { status, stderr, calls } = world.build({ fails: "docker inspect,docker pull" });
    assert.equal(status, 0, stderr);
    assert.match(stderr, /no registry can be reached/);
    const base = calls.find((call) => valuesOf(call, "-t").includes("evener-base:bookworm-slim"));
    assert.deepEqual(base?.slice(0, 4), ["docker", "buildx", "build", "--builder"]);
    assert(valuesOf(findBuild(calls), "--build-arg").includes("BASE=evener-base:bookworm-slim"));
  });

  it("with docker but without skopeo: says what to install", (t) => {
    const world = new World(t, ["docker"]);
    // /usr/bin may have one.
    const { status, stderr, calls } = world.build({ env: { PATH: withoutSkopeo(world) } });
    assert.equal(status, 69);
    assert.match(stderr, /please install skopeo/);
    assert(!calls.some((call) => call.includes("docker/Dockerfile")));
  });

  for (const fails of ["docker info", "docker buildx version"]) {
    it(`takes podman when \`${fails}\` fails, in a store of its own, without namespaces`, (t) => {
      const world = new World(t, ["docker", "podman"]);
      const { status, stderr, calls } = world.build({ fails });
      assert.equal(status, 0, stderr);
      const build = findBuild(calls);
      assert.equal(build[0], "podman");
      const store = `${world.cache}/containers`;
      assert.deepEqual(valuesOf(build, "--root"), [`${store}/storage`]);
      assert.deepEqual(valuesOf(build, "--runroot"), [`${store}/run`]);
      assert.deepEqual(valuesOf(build, "--isolation"), ["chroot"]);
      assert.deepEqual(valuesOf(build, "--timestamp"), ["315532800"]);
      const [tag = ""] = valuesOf(build, "-t");
      const push = calls.at(-1) ?? [];
      assert.deepEqual(push.slice(-4), [
        "--compression-format",
        "gzip",
        tag,
        `oci-archive:${world.out}.new:${tag}`,
      ]);
    });
  }

  it("compresses well where the tool can", (t) => {
    const world = new World(t, ["buildah"]);
    const { calls } = world.build({ tool: "buildah", help: "  --compression-level int   level" });
    assert.deepEqual(valuesOf(calls.at(-1) ?? [], "--compression-level"), ["9"]);
  });

  it("takes the base that is given, and no other", (t) => {
    const world = new World(t, ["podman"]);
    const env = { BASE: "mirror.example/debian:12", BASE_DIGEST: "sha256:abc" };
    const { calls } = world.build({ tool: "podman", env });
    const args = valuesOf(findBuild(calls), "--build-arg");
    assert(args.includes("BASE=mirror.example/debian:12") && args.includes("BASE_DIGEST=sha256:abc"));
    assert(!calls.some((call) => call.includes("pull") || call.includes(BASE)));
  });

  it("leaves the archive that is there when the build fails", (t) => {
    const world = new World(t, ["buildah"]);
    writeFileSync(world.out, "before");
    const store = `${world.cache}/containers`;
    const driver = ["overlay", "vfs"].map(
      (name) => `buildah --root ${store}/storage --runroot ${store}/run --storage-driver ${name} build`,
    );
    const { status } = world.build({ tool: "buildah", fails: driver.join(",") });
    assert.notEqual(status, 0);
    assert.equal(readFileSync(world.out, "utf8"), "before");
  });

  it("says so when none of them is there", (t) => {
    const { status, stderr } = new World(t, []).build({ tool: "nothing-of-the-kind", args: ["tool"] });
    assert.equal(status, 69);
    assert.match(stderr, /none of docker .*podman and buildah is there/);
  });
});

/** A PATH with all that this machine has, and no skopeo. */
function withoutSkopeo(world: World): string {
  const few = join(world.dir, "few");
  mkdirSync(few);
  for (const dir of ["/bin", "/usr/bin"])
    for (const name of readdirSync(dir)) {
      if (name !== "skopeo" && !existsSync(join(few, name))) symlinkSync(join(dir, name), join(few, name));
    }
  return `${join(world.dir, "bin")}:${few}`;
}
