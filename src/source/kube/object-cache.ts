// SPDX-License-Identifier: Apache-2.0
/** The objects of one scope. An object that did not change stays the same object, also through a new list. */
import { isDeepStrictEqual } from "node:util";
import type { Problem } from "../../model/types.ts";
import type { StoredKind } from "../../store/kinds.ts";
import type { Interner } from "./interner.ts";
import { type ApiObjectName, readApiObject, readName } from "./read-api-object.ts";
import type { Sink } from "./reflector.ts";

interface Entry {
  readonly object: object | undefined;
  readonly problem: Problem | undefined;
  /** The newest seen; the object's own is that of the last change that mattered. */
  readonly version: string | undefined;
}

export class ObjectCache implements Sink {
  readonly kind: StoredKind;
  readonly #interner: Interner;
  readonly #onChange: () => void;
  #entries = new Map<string, Entry>();
  #listing: Map<string, Entry> | undefined;

  constructor(kind: StoredKind, interner: Interner, onChange: () => void) {
    this.kind = kind;
    this.#interner = interner;
    this.#onChange = onChange;
  }

  *objects(): Generator<[string, object]> {
    for (const [key, { object }] of this.#entries) if (object !== undefined) yield [key, object];
  }

  *problems(): Generator<Problem> {
    for (const { problem } of this.#entries.values()) if (problem !== undefined) yield problem;
  }

  beginList(): void {
    this.#listing = new Map();
  }

  listed(raw: unknown): void {
    const name = readName(this.kind, raw);
    if (name !== undefined) this.#listing?.set(name.key, this.#read(name, raw));
  }

  endList(): void {
    const before = this.#entries;
    this.#entries = this.#listing ?? new Map();
    this.#listing = undefined;
    const same = (key: string, entry: Entry) => isSameEntry(before.get(key), entry);
    const unchanged =
      before.size === this.#entries.size && [...this.#entries].every(([key, entry]) => same(key, entry));
    if (!unchanged) this.#onChange();
  }

  changed(raw: unknown): void {
    const name = readName(this.kind, raw);
    if (name === undefined) return;
    const before = this.#entries.get(name.key);
    const entry = this.#read(name, raw);
    this.#entries.set(name.key, entry);
    if (!isSameEntry(before, entry)) this.#onChange();
  }

  deleted(raw: unknown): void {
    const name = readName(this.kind, raw);
    if (name !== undefined && this.#entries.delete(name.key)) this.#onChange();
  }

  #read(name: ApiObjectName, raw: unknown): Entry {
    const before = this.#entries.get(name.key);
    const { version } = name;
    if (before !== undefined && version !== undefined && before.version === version) return before;
    const result = readApiObject(this.kind, name, raw, this.#interner);
    if (!result.ok) return { object: undefined, problem: result.problem, version };
    const { object } = result;
    const kept = before?.object;
    return {
      object: kept !== undefined && isSame(kept, object) ? kept : object,
      problem: undefined,
      version,
    };
  }
}

function isSameEntry(a: Entry | undefined, b: Entry): boolean {
  return a !== undefined && a.object === b.object && isDeepStrictEqual(a.problem, b.problem);
}

/** Writes that concern nothing we use (a status, a lease-like annotation) are no changes. */
function isSame(a: object, b: object): boolean {
  return isDeepStrictEqual(withoutVersion(a), withoutVersion(b));
}

function withoutVersion(object: object): object {
  const { metadata, ...rest } = object as { metadata?: { resourceVersion?: string } };
  const { resourceVersion: _version, ...others } = metadata ?? {};
  return { ...rest, metadata: others };
}
