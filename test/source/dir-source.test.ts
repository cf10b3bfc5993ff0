// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { createDirSource } from "../../src/source/dir/dir-source.ts";
import { eventually } from "../fixtures/eventually.ts";
import { testSource } from "./contract.ts";

const service = (name: string, port: number | string) =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: ${port}}]}\n`;

async function open(t: TestContext, path?: string) {
  const dir = await mkdtemp(join(tmpdir(), "evener-dir-"));
  // The regular look is far away: what arrives was seen by watching.
  const source = createDirSource({ path: join(dir, path ?? ""), clock: systemClock, rescanMs: 600_000 });
  t.after(async () => {
    await source.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const port = (name: string) =>
    source.snapshot().store.services.get(`default/${name}`)?.spec?.ports?.[0]?.port;
  const reasons = () => source.snapshot().problems.map((problem) => problem.reason);
  const write = (name: string, text: string) => writeFile(join(dir, name), text);
  return { dir, source, port, reasons, write };
}

testSource("the directory source", async (t) => {
  const { dir, source, write } = await open(t);
  return {
    source,
    putService: (name, port) => write(`${name}.yaml`, service(name, port)),
    deleteService: (name) => rm(join(dir, `${name}.yaml`)),
  };
});

describe("a directory of manifests", () => {
  test("is read with all below it; other files, hidden ones and editors' leftovers are not", async (t) => {
    const { dir, source, port, write } = await open(t);
    await mkdir(join(dir, "deep/er"), { recursive: true });
    await write("deep/er/a.yml", service("a", 80));
    for (const name of [".b.yaml.swp", ".b.yaml", "b.yaml~", "b.txt", "#b.yaml#"])
      await write(name, service("b", 80));
    await source.start();
    assert.equal(port("a"), 80);
    assert.equal(port("b"), undefined);
    await mkdir(join(dir, "new"));
    await write("new/c.yaml", service("c", 80));
    await eventually("a file in a new directory", () => port("c") === 80);
  });

  test("an atomic rename over a file is a change", async (t) => {
    const { dir, source, port, write } = await open(t);
    await write("a.yaml", service("a", 80));
    await source.start();
    for (let next = 81; next < 85; next++) {
      await write(".a.yaml.tmp", service("a", next));
      await rename(join(dir, ".a.yaml.tmp"), join(dir, "a.yaml"));
      await eventually(`port ${next}`, () => port("a") === next);
    }
  });

  test("a ConfigMap volume's swap of ..data is a change", async (t) => {
    const { dir, source, port, write } = await open(t);
    const publish = async (version: number) => {
      await mkdir(join(dir, `..v${version}`));
      await write(`..v${version}/a.yaml`, service("a", version));
      await symlink(`..v${version}`, join(dir, "..data_tmp"));
      await rename(join(dir, "..data_tmp"), join(dir, "..data"));
      if (version > 80) await rm(join(dir, `..v${version - 1}`), { recursive: true });
    };
    await publish(80);
    await symlink("..data/a.yaml", join(dir, "a.yaml"));
    await source.start();
    assert.equal(port("a"), 80);
    for (let version = 81; version < 85; version++) {
      await publish(version);
      await eventually(`version ${version}`, () => port("a") === version);
    }
  });

  test("a single file will do", async (t) => {
    const { source, port, write } = await open(t, "only.yaml");
    await write("only.yaml", service("a", 80));
    await write("other.yaml", service("b", 80));
    await source.start();
    assert.deepEqual([port("a"), port("b")], [80, undefined]);
    await write("only.yaml", service("a", 81));
    await eventually("the change", () => port("a") === 81);
  });

  test("one that is not there fails the start, with its name", async (t) => {
    const { dir, source } = await open(t, "nowhere");
    await assert.rejects(source.start(), (error: Error) => error.message.includes(join(dir, "nowhere")));
    assert.equal(source.synced, false);
  });
});

describe("what was good stays in use", () => {
  test("when a file breaks, until it is whole again; the problem names file and line", async (t) => {
    const { source, port, reasons, write } = await open(t);
    await write("a.yaml", `${service("a", 80)}---\n${service("b", 80)}`);
    await source.start();
    await write("a.yaml", `${service("a", 81)}---\napiVersion: v1\nkind: [Service\n`);
    await eventually("the problem", () => reasons().includes("BrokenYaml"));
    const { problems } = source.snapshot();
    assert.ok(
      problems.some(({ message }) => /^a\.yaml line \d+: /.test(message)),
      JSON.stringify(problems),
    );
    assert.ok(
      problems.some(({ reason, message }) => reason === "LastGoodKept" && /Service default\/b/.test(message)),
    );
    // The good document of a broken file counts, the broken one's object is as it was.
    assert.deepEqual([port("a"), port("b")], [81, 80]);
    await write("a.yaml", service("a", 82));
    await eventually("the repair", () => port("a") === 82);
    assert.deepEqual(reasons(), []);
    assert.equal(port("b"), undefined);
  });

  test("when an object becomes invalid", async (t) => {
    const { source, port, reasons, write } = await open(t);
    await write("a.yaml", service("a", 80));
    await source.start();
    await write("a.yaml", service("a", "eighty"));
    await eventually("the problem", () => reasons().includes("InvalidField"));
    assert.equal(port("a"), 80);
  });

  test("through several mistakes in a row", async (t) => {
    const { source, port, reasons, write } = await open(t);
    await write("a.yaml", service("a", 80));
    await source.start();
    for (const broken of ["{", "a: [", "\t- x: {"]) {
      await write("a.yaml", broken);
      await eventually(`a look at ${broken}`, () => reasons().includes("LastGoodKept"));
      assert.equal(port("a"), 80);
    }
  });

  test("but a deleted file is gone, broken or not", async (t) => {
    const { dir, source, port, reasons, write } = await open(t);
    await write("a.yaml", service("a", 80));
    await source.start();
    await write("a.yaml", "{");
    await eventually("the problem", () => reasons().length > 0);
    await rm(join(dir, "a.yaml"));
    await eventually("the deletion", () => port("a") === undefined);
    assert.deepEqual(reasons(), []);
  });

  test("when the whole directory vanishes, until it is back", async (t) => {
    const { dir, source, port, reasons } = await open(t, "m");
    await mkdir(join(dir, "m"));
    await writeFile(join(dir, "m/a.yaml"), service("a", 80));
    await source.start();
    await rename(join(dir, "m"), join(dir, "away"));
    await eventually("the problem", () => reasons().includes("UnreadableDirectory"));
    assert.equal(port("a"), 80);
  });
});
