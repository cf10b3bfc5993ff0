// SPDX-License-Identifier: Apache-2.0
// What is in the image, and what is not.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ARCH, type Image, ROOT, unpackImage, whySkip } from "./lib/archive.ts";

/** Every file belongs to a known part: what is added later has to be thought of here, and in NOTICE. */
const KNOWN = [
  /^usr\/bin\/evener$/,
  /^usr\/lib\/evener\/bin\/(hitch|balance)$/,
  /^usr\/lib\/evener\/lib\/(node|evener\.mjs(\.map|\.LEGAL\.txt)?|templates\/[a-z-]+\.conf\.hbs|templates\/page\/[a-z.-]+)$/,
  /^(lib64|lib)\/ld-linux-[a-z0-9-]+\.so\.\d$/,
  /^(usr\/)?lib\/[a-z0-9_]+-linux-gnu\/(libc|libm|libdl|libpthread|libgcc_s|libstdc\+\+|ld-linux-[a-z0-9-]+)\.so\.\d$/,
  /^etc\/(passwd|group|nsswitch\.conf|ssl\/certs\/ca-certificates\.crt)$/,
  /^usr\/share\/(licenses|common-licenses)\//,
  /^usr\/share\/doc\/evener\/(NOTICE|SOURCES|sbom\.spdx\.json)$/,
];

describe("the image's contents", { skip: whySkip(ARCH) }, () => {
  let image: Image;
  let files: string[];

  before(() => {
    image = unpackImage();
    files = execFileSync("find", [image.rootfs, "!", "-type", "d", "-printf", "%P\n"], { encoding: "utf8" })
      .split("\n")
      .filter((line) => line !== "");
  });
  after(() => image.remove());

  it("has no file that nobody accounts for, and no shell", () => {
    const unknown = files.filter((file) => !KNOWN.some((pattern) => pattern.test(file)));
    assert.deepEqual(unknown, []);
  });

  it("belongs to root, can't be written by its user, and raises nobody's rights", () => {
    const odd = execFileSync("find", [image.rootfs, "-mindepth", "1", "(", "-uid", "+0", "-o", "-gid", "+0", "-o",
      "-perm", "/6000", "-o", "-type", "f", "-perm", "/022", ")", "-printf", "%P\n"], { encoding: "utf8" }); // biome-ignore format: an expression
    assert.equal(odd, "");
    const open = execFileSync("find", [image.rootfs, "-type", "d", "-perm", "-2", "-printf", "%P\n"], {
      encoding: "utf8",
    });
    assert.deepEqual(open.trim().split("\n").sort(), ["run", "run/evener", "tmp"]);
  });

  it("runs as a numeric user and says what it is", () => {
    assert.equal(image.config.User, "65532:65532");
    assert.equal(image.architecture, ARCH);
    const { Labels } = image.config;
    const { version } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as { version: string };
    assert.equal(Labels["org.opencontainers.image.version"], version);
    assert.match(Labels["org.opencontainers.image.revision"] ?? "", /^[0-9a-f]{40}(-modified)?$/);
    assert.match(Labels["org.opencontainers.image.created"] ?? "", /^\d{4}-\d\d-\d\dT/);
  });

  it("brings a licence text and an SBOM entry for every row of NOTICE", () => {
    const notice = readFileSync(join(image.rootfs, "usr/share/doc/evener/NOTICE"), "utf8");
    const rows = notice.split("\n").filter((line) => line.startsWith("  "));
    assert(rows.length > 50);
    const sbom = JSON.parse(
      readFileSync(join(image.rootfs, "usr/share/doc/evener/sbom.spdx.json"), "utf8"),
    ) as { spdxVersion: string; packages: { name: string; versionInfo: string }[] };
    assert.equal(sbom.spdxVersion, "SPDX-2.3");
    const packages = new Set(sbom.packages.map(({ name, versionInfo }) => `${name} ${versionInfo}`));
    for (const row of rows) {
      const [name = "", version = "", ...rest] = row.trim().split(/ {2,}/);
      assert(packages.has(`${name} ${version}`), `${name} ${version} in the SBOM`);
      for (const path of (rest.at(-1) ?? "").split(" ")) {
        assert(statSync(join(image.rootfs, "usr/share/licenses", path)).size > 100, path);
      }
    }
    // The image itself, and one for each row.
    assert.equal(sbom.packages.length, rows.length + 1);
  });

  it("has Debian's own list of CA certificates", () => {
    const text = readFileSync(join(image.rootfs, "etc/ssl/certs/ca-certificates.crt"), "utf8");
    const certificates = text.match(/BEGIN CERTIFICATE/g)?.length ?? 0;
    assert(certificates > 100 && certificates < 200, `${certificates} certificates`);
  });

  it("holds nothing of the machine that built it: no key, no token, no mirror, no path", () => {
    // Upstream's sources name hosts in plenty; the machine's own settings are what must not be in there.
    const own = [...machineHosts(), ROOT, "/root/.cache", "/src/vendor", "/cache/work", "/cache/out"];
    if (hostname().length > 4) own.push(hostname());
    const secrets = [
      "_authToken",
      "//registry.",
      "NPM_TOKEN",
      "PRIVATE KEY-----\nMI",
      "AWS_SECRET_ACCESS_KEY=",
    ];
    const args = [...own, ...secrets]
      .flatMap((text) => text.split("\n").slice(0, 1))
      .flatMap((text) => ["-e", text]);
    const found = grep(["-rlaF", ...args, "--exclude=node", "--exclude-dir=licenses", image.rootfs]);
    assert.deepEqual(found, []);
    // Node's own text says a few of these; the machine's are not among them.
    assert.deepEqual(
      grep(["-laF", ...own.flatMap((text) => ["-e", text]), join(image.rootfs, "usr/lib/evener/lib/node")]),
      [],
    );
    for (const text of own) assert(!image.configText.includes(text), text);
  });
});

function grep(args: readonly string[]): string[] {
  try {
    return execFileSync("grep", [...args], { encoding: "utf8" })
      .trim()
      .split("\n");
  } catch {
    return [];
  }
}

/** Hosts of the machine's apt and npm settings, but for the public ones that documentation and upstream's code name. */
function machineHosts(): string[] {
  const publicHosts = /(^|\.)(debian\.org|npmjs\.org|example\.(com|org)|github\.com)$/;
  const texts: string[] = [];
  for (const dir of ["/etc/apt/sources.list.d", "/etc/apt/apt.conf.d"]) {
    for (const name of readdirSync(dir)) {
      if (!name.includes("disabled")) texts.push(readFileSync(join(dir, name), "utf8"));
    }
  }
  for (const which of ["globalconfig", "userconfig"]) {
    try {
      const path = execFileSync("npm", ["config", "get", which], {
        cwd: "/",
        encoding: "utf8",
        stdio: "pipe",
      }).trim();
      texts.push(readFileSync(path, "utf8"));
    } catch {
      // It has none.
    }
  }
  const hosts = texts
    .flatMap((text) => text.split("\n").filter((line) => !/^\s*(#|\/\/)/.test(line)))
    .flatMap((line) =>
      [...line.matchAll(/\/\/(?:[^@/\s"]*@)?([a-z0-9.-]+)/gi)].map(([, host]) => host ?? ""),
    );
  return [...new Set(hosts)].filter((host) => host.includes(".") && !publicHosts.test(host));
}
