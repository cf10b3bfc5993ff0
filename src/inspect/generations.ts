// SPDX-License-Identifier: Apache-2.0
/** The rendered files, each with the text that it replaced. */
import { createHash } from "node:crypto";
import { describeChange } from "../render/describe-change.ts";
import type { FileView } from "./types.ts";

/** A diff takes time by the number of changed lines, and nobody reads more of them. */
const LIMITS = { maxEditLength: 2000, timeout: 500 };

interface Generation {
  readonly text: string;
  readonly changedAt: number;
  readonly previous?: string;
  /** Made when somebody asks. */
  view?: Omit<FileView, "live">;
}

export class Generations {
  #files = new Map<string, Generation>();

  /** All files there are now, by name. */
  update(texts: Readonly<Record<string, string>>, now: number): void {
    this.#files = new Map(
      Object.entries(texts).map(([name, text]) => {
        const before = this.#files.get(name);
        if (before?.text === text) return [name, before];
        const previous = before === undefined ? {} : { previous: before.text };
        return [name, { text, changedAt: now, ...previous }];
      }),
    );
  }

  text(name: string): string | undefined {
    return this.#files.get(name)?.text;
  }

  list(isLive: (name: string, text: string) => boolean | undefined): readonly FileView[] {
    return [...this.#files].map(([name, generation]) => {
      generation.view ??= describeFile(name, generation);
      const live = isLive(name, generation.text);
      return { ...generation.view, ...(live === undefined ? {} : { live }) };
    });
  }
}

function describeFile(name: string, { text, changedAt, previous }: Generation): Omit<FileView, "live"> {
  const diff = previous === undefined ? "" : describeChange(name, previous, text, LIMITS);
  return {
    name,
    bytes: Buffer.byteLength(text),
    sha256: createHash("sha256").update(text).digest("hex"),
    changedAt: new Date(changedAt).toISOString(),
    ...(previous === undefined || diff === undefined ? {} : { diff }),
    ...(diff === undefined ? { different: true } : {}),
  };
}
