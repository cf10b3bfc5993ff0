// SPDX-License-Identifier: Apache-2.0
/** Every public flag, annotation, metric and field is in the reference: found without the generators, where users find them. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { createProgram } from "../../src/cli/main.ts";
import { BY_NAME } from "../../src/model/annotations/table.ts";
import { UNSUPPORTED } from "../../src/model/annotations/unsupported.ts";
import { createMetrics } from "../../src/report/metrics.ts";
import { ROOT } from "./lib/documents.ts";

const read = (path: string) => readFileSync(join(ROOT, path), "utf8");

/** What the program prints for `evener COMMAND --help`. */
function help(...words: readonly string[]): string {
  let command = createProgram(() => {});
  for (const word of words) {
    const found = command.commands.find((one) => one.name() === word);
    assert.ok(found !== undefined, words.join(" "));
    command = found;
  }
  return command.helpInformation();
}

/** Names in the first column of a help's lists; lines that go on are indented further. */
function listHelp(text: string, title: string): readonly string[] {
  const [, body = ""] = text.split(`${title}:\n`);
  const [list = ""] = body.split("\n\n");
  return [...list.matchAll(/^ {2}(\S.*?)(?: {2}|$)/gm)].map(([, entry = ""]) => entry);
}

test("every command and flag that --help knows", () => {
  const reference = read("docs/reference/flags.md");
  let flags = 0;
  const look = (command: readonly string[]) => {
    const text = help(...command);
    const name = ["evener", ...command].join(" ");
    const section = reference.split(`## ${name}\n`)[1]?.split("\n## ")[0];
    if (command.length > 0) assert.ok(section !== undefined, `${name} is not in the reference`);
    for (const entry of listHelp(text, "Options")) {
      const [long] = /--[a-z-]+/.exec(entry) ?? [];
      if (long === undefined || long === "--help" || long === "--version") continue;
      flags++;
      assert.ok(
        new RegExp(`\`[^\`]*${long}[ \`]`).test(section ?? ""),
        `${name} ${long} is not in the reference`,
      );
    }
    for (const entry of listHelp(text, "Commands")) {
      const [word = ""] = entry.split(/[ |]/);
      if (word !== "help") look([...command, word]);
    }
  };
  look([]);
  assert.ok(flags > 50, `${flags} flags found`);
});

test("every environment variable that --help knows", () => {
  const reference = read("docs/reference/flags.md");
  const names = [
    ...help("run")
      .replaceAll(/\s+/g, " ")
      .matchAll(/env: (EVENER_[A-Z_]+)/g),
  ].map(([, name = ""]) => name);
  assert.ok(names.length > 30, `${names.length} found`);
  for (const name of names) assert.ok(reference.includes(`\`${name}\``), `${name} is not in the reference`);
});

test("every metric that /metrics has", async () => {
  const reference = read("docs/reference/metrics.md");
  const names = [...(await createMetrics("0").registry.metrics()).matchAll(/^# TYPE (\S+) (\S+)$/gm)];
  assert.ok(names.length > 15);
  for (const [, name, type] of names)
    assert.ok(reference.includes(`| \`${name}\` | ${type} |`), `${name} (${type})`);
});

test("every alert has a line that says what to do", () => {
  const operations = read("docs/operations.md");
  const names = [...read("charts/evener/files/alerts.yaml").matchAll(/- alert: (\w+)/g)];
  assert.ok(names.length > 5);
  for (const [, name = ""] of names) {
    assert.match(operations, new RegExp(`^\\| (\\w+, )*${name}[ ,]`, "m"), name);
  }
});

test("every annotation that is read, or known and not read", () => {
  const reference = read("docs/annotations.md");
  const names = [...[...BY_NAME.keys()].map((name) => name.split("/").at(-1) ?? ""), ...UNSUPPORTED.keys()];
  assert.ok(names.length > 180, `${names.length} found`);
  for (const name of names) {
    // A row of its own: that another one mentions it is not enough.
    assert.match(
      reference,
      new RegExp(`^\\| (\`[a-z-]+\`, )*\`${name}\`(,| \\|)`, "m"),
      `${name} is not in the reference`,
    );
  }
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
}

function* listFields(schema: Schema, path: string): Generator<string> {
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    yield `${path}.${name}`;
    yield* listFields(field, `${path}.${name}`);
    if (field.items !== undefined) yield* listFields(field.items, `${path}.${name}[]`);
  }
}

test("every field of the definitions that the chart installs", () => {
  const reference = read("docs/crds.md");
  const dir = "charts/evener/crds";
  let fields = 0;
  for (const file of readdirSync(join(ROOT, dir)).filter((name) => name.endsWith(".yaml"))) {
    const { spec } = parse(read(join(dir, file))) as {
      spec: { names: { kind: string }; versions: { schema: { openAPIV3Schema: Schema } }[] };
    };
    const { kind } = spec.names;
    const section = reference.split(`## ${kind}\n`)[1]?.split("\n## ")[0] ?? "";
    for (const { schema } of spec.versions) {
      for (const field of listFields(schema.openAPIV3Schema.properties?.spec ?? {}, "spec")) {
        fields++;
        assert.ok(section.includes(`| \`${field}\` `), `${kind} ${field} is not in the reference`);
      }
    }
  }
  assert.ok(fields > 40, `${fields} found`);
});
