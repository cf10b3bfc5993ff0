// SPDX-License-Identifier: Apache-2.0
/** What every Source promises, whatever its objects come from. */
import assert from "node:assert/strict";
import { describe, type TestContext, test } from "node:test";
import type { Source } from "../../src/source/source.ts";
import { eventually } from "../fixtures/eventually.ts";

/** The other side: where the objects are written. */
export interface SourceWorld {
  readonly source: Source;
  /** Creates or replaces a Service `default/NAME` with this port. */
  putService(name: string, port: number): Promise<void>;
  deleteService(name: string): Promise<void>;
}

export function testSource(name: string, open: (t: TestContext) => Promise<SourceWorld>): void {
  const portOf = (source: Source, key: string) =>
    source.snapshot().store.services.get(key)?.spec?.ports?.[0]?.port;

  describe(`${name} keeps the source's contract`, () => {
    test("is synced when start has resolved, and not before", async (t) => {
      const { source, putService } = await open(t);
      await putService("a", 80);
      assert.equal(source.synced, false);
      assert.equal(source.snapshot().store.services.size, 0);
      await source.start();
      assert.equal(source.synced, true);
      assert.equal(portOf(source, "default/a"), 80);
      assert.deepEqual(source.snapshot().problems, []);
    });

    test("an empty world is a synced world", async (t) => {
      const { source } = await open(t);
      await source.start();
      assert.equal(source.synced, true);
      assert.equal(source.snapshot().store.services.size, 0);
    });

    test("creations, changes and deletions arrive, each told to every listener", async (t) => {
      const { source, putService, deleteService } = await open(t);
      await source.start();
      const told = [0, 0];
      source.onChange(() => (told[0] = (told[0] ?? 0) + 1));
      const end = source.onChange(() => (told[1] = (told[1] ?? 0) + 1));
      await putService("a", 80);
      await eventually("the creation", () => portOf(source, "default/a") === 80);
      await putService("a", 81);
      await eventually("the change", () => portOf(source, "default/a") === 81);
      assert.ok((told[0] ?? 0) >= 2);
      assert.deepEqual(told[0], told[1]);
      end();
      await deleteService("a");
      await eventually("the deletion", () => !source.snapshot().store.services.has("default/a"));
      assert.ok((told[0] ?? 0) > (told[1] ?? 0));
    });

    test("a snapshot does not change after it was taken; what did not change stays the same object", async (t) => {
      const { source, putService } = await open(t);
      await putService("a", 80);
      await putService("b", 80);
      await source.start();
      const before = source.snapshot();
      await putService("a", 81);
      await eventually("the change", () => portOf(source, "default/a") === 81);
      assert.equal(before.store.services.get("default/a")?.spec?.ports?.[0]?.port, 80);
      assert.equal(source.snapshot().store.services.get("default/b"), before.store.services.get("default/b"));
    });

    test("a burst of changes ends in the last state", async (t) => {
      const { source, putService } = await open(t);
      await source.start();
      for (let port = 1; port <= 50; port++) await putService("a", port);
      await eventually("the last state", () => portOf(source, "default/a") === 50);
    });

    test("after stop nobody is told anything", async (t) => {
      const { source, putService } = await open(t);
      await source.start();
      let told = 0;
      source.onChange(() => told++);
      await source.stop();
      await putService("a", 80);
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal(told, 0);
    });
  });
}
