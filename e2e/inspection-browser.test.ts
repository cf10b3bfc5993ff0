// SPDX-License-Identifier: Apache-2.0
/** The inspection page in a real browser: on a wide and on a narrow screen, by keyboard, for assistive programs. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../test/fixtures/eventually.ts";
import { Browser, withoutChromium } from "./lib/chromium.ts";
import { startInspected } from "./lib/inspected.ts";
import { LIST_FAINT_TEXTS, LIST_FOCUSABLE, SHOWS_FOCUS } from "./lib/page-checks.ts";

const PAGES = ["", "routes", "certificates", "pools", "problems", "reloads", "files"];
const SIZES = [
  [1280, 800],
  [400, 800],
] as const;

/** EVENER_SCREENSHOTS=DIR keeps them. */
async function keep(name: string, png: Buffer): Promise<void> {
  const dir = process.env.EVENER_SCREENSHOTS;
  if (dir === undefined) return;
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, `${name}.png`), png);
}

test("in a browser", { skip: withoutChromium }, async (t) => {
  const { port, grow } = await startInspected(t);
  await grow();
  const browser = await Browser.start(t);
  const url = (page: string) => `http://127.0.0.1:${port}/${page}`;

  await t.test("every page fits on both screens, in light and dark, with enough contrast", async () => {
    for (const [width, height] of SIZES) {
      await browser.resize(width, height);
      for (const scheme of ["light", "dark"]) {
        await browser.prefer({ "prefers-color-scheme": scheme });
        for (const page of PAGES) {
          const where = `${page || "overview"}-${width}-${scheme}`;
          await browser.goto(url(page));
          const wide = await browser.evaluate<number>("document.documentElement.scrollWidth");
          assert.ok(wide <= width, `${where}: ${wide} wide`);
          assert.deepEqual(await browser.evaluate(LIST_FAINT_TEXTS), [], where);
          const png = await browser.screenshot();
          assert.equal(png.subarray(1, 4).toString(), "PNG");
          await keep(where, png);
        }
      }
    }
  });

  await t.test(
    "nothing that a user wrote runs or is loaded, and the page keeps to its own policy",
    async () => {
      await browser.goto(url("problems"));
      assert.equal(await browser.evaluate("document.title"), "Problems · Evener");
      assert.equal(await browser.evaluate("document.images.length"), 0);
      const cells = await browser.evaluate<string>("document.querySelector('main').textContent");
      assert.match(cells, /<img src=x onerror=/);
      assert.deepEqual(browser.complaints, []);
    },
  );

  await t.test("all that can be used is reached by keyboard alone, and shows that it is", async () => {
    await browser.resize(1280, 800);
    for (const page of PAGES) {
      await browser.goto(url(page));
      const wanted = await browser.evaluate<string[]>(LIST_FOCUSABLE);
      const reached: string[] = [];
      for (let i = 0; i < wanted.length; i++) {
        await browser.press("Tab", 9);
        const { key, shown } = await browser.evaluate<{ key: string; shown: boolean }>(SHOWS_FOCUS);
        assert.ok(shown, `${page}: ${key} does not show that it has the focus`);
        reached.push(key);
      }
      assert.deepEqual(reached, wanted, page);
    }
    // The first thing is the way past all that.
    await browser.goto(url("routes"));
    await browser.press("Tab", 9);
    await browser.press("Enter", 13, "\r");
    assert.equal(await browser.evaluate("document.activeElement.id"), "main");
  });

  await t.test("assistive programs find landmarks, names and tables, on a narrow screen too", async () => {
    for (const [width, height] of SIZES) {
      await browser.resize(width, height);
      for (const page of PAGES) {
        await browser.goto(url(page));
        const all = await browser.accessibles();
        const named = (role: string) => all.filter((one) => one.role === role).map(({ name }) => name);
        for (const role of ["banner", "navigation", "main", "contentinfo"])
          assert.equal(named(role).length, 1, `${page}: ${role}`);
        assert.deepEqual(named("navigation"), ["Sections"]);
        assert.equal((await browser.evaluate<unknown[]>("[...document.querySelectorAll('h1')]")).length, 1);
        assert.deepEqual(
          [
            ...named("button"),
            ...named("link"),
            ...named("searchbox"),
            ...named("region"),
            ...named("table"),
          ].filter((name) => name === ""),
          [],
          page,
        );
        assert.ok(named("table").length > 0, page);
        assert.ok(named("columnheader").length > 0, page);
        assert.ok(named("rowheader").length > 0, page);
      }
    }
  });

  await t.test("the filter works while somebody types, and says how much is left", async () => {
    await browser.resize(1280, 800);
    await browser.goto(url("routes"));
    await browser.evaluate("document.getElementById('q').focus()");
    await browser.type("SHOP.ex");
    const shown =
      "[...document.querySelectorAll('tbody tr')].filter((row) => !row.hidden).map((row) => row.cells[0].textContent)";
    assert.deepEqual(await browser.evaluate(shown), ["shop.example"]);
    assert.match(
      await browser.evaluate("document.getElementById('found').textContent"),
      /^1 of \d+ rows shown$/,
    );
    await browser.press("Enter", 13, "\r");
    await eventually("the server has filtered", () =>
      browser.evaluate<boolean>("location.search === '?q=SHOP.ex'"),
    );
    await eventually(
      "and the page is there",
      async () => (await browser.evaluate<string[]>(shown)).length === 1,
    );
  });

  await t.test(
    "a refresh brings what is new and leaves focus, filter and what is open as they were",
    async () => {
      await browser.goto(url("files"));
      await browser.evaluate("document.querySelector('details').open = true");
      await browser.evaluate("document.getElementById('refresh').focus()");
      const stamp = "document.querySelector('.state time').dateTime";
      const before = await browser.evaluate<string>(stamp);
      await browser.press(" ", 32, " ");
      assert.equal(
        await browser.evaluate("document.getElementById('refresh').getAttribute('aria-pressed')"),
        "true",
      );
      await eventually("another time", async () => (await browser.evaluate<string>(stamp)) !== before);
      assert.equal(await browser.evaluate("document.activeElement.id"), "refresh");
      assert.equal(await browser.evaluate("document.querySelector('details').open"), true);
      // It stays on from page to page, and goes off again.
      await browser.goto(url("pools"));
      const pressed = "document.getElementById('refresh').getAttribute('aria-pressed')";
      assert.equal(await browser.evaluate(pressed), "true");
      await browser.evaluate("document.getElementById('refresh').click()");
      assert.equal(await browser.evaluate(pressed), "false");
      assert.deepEqual(browser.complaints, []);
    },
  );

  await t.test("whoever wants less motion gets none, and without the script the page works", async () => {
    await browser.prefer({ "prefers-reduced-motion": "reduce" });
    await browser.goto(url("routes"));
    const moving =
      "[...document.querySelectorAll('*')].filter((one) => getComputedStyle(one).transitionDuration !== '0s' || getComputedStyle(one).animationName !== 'none').length";
    assert.equal(await browser.evaluate(moving), 0);
    await browser.send("Emulation.setScriptExecutionDisabled", { value: true });
    await browser.goto(url("routes?q=shop"));
    await browser.send("Emulation.setScriptExecutionDisabled", { value: false });
    assert.equal(await browser.evaluate("document.getElementById('refresh').hidden"), true);
    assert.equal(await browser.evaluate("document.querySelectorAll('tbody tr').length"), 1);
  });

  await t.test("a name that was made to point here is turned away", async () => {
    await browser.goto(`http://rebound.example:${port}/inspection.json`);
    assert.match(await browser.evaluate("document.body.textContent"), /not ours/);
  });
});
