// SPDX-License-Identifier: Apache-2.0
/** Cuts a byte stream into lines of bounded length; a program that never ends its line costs no memory. */
import type { Readable } from "node:stream";
import { StringDecoder } from "node:string_decoder";

export const MAX_LINE = 4096;

/** Collects chunks; `push` hands out the lines that are complete, `end` what is left. */
export class LineSplitter {
  readonly #decoder = new StringDecoder("utf8");
  readonly #emit: (line: string) => void;
  readonly #max: number;
  #rest = "";
  /** The head of this line has been handed out as too long; its tail is dropped. */
  #skipping = false;

  constructor(emit: (line: string) => void, max: number = MAX_LINE) {
    this.#emit = emit;
    this.#max = max;
  }

  push(chunk: Buffer): void {
    let text = this.#rest + this.#decoder.write(chunk);
    let end = text.indexOf("\n");
    while (end >= 0) {
      this.#finish(text.slice(0, end));
      text = text.slice(end + 1);
      end = text.indexOf("\n");
    }
    if (this.#skipping) {
      text = "";
    } else if (text.length > this.#max) {
      this.#emit(`${text.slice(0, this.#max)}…`);
      this.#skipping = true;
      text = "";
    }
    this.#rest = text;
  }

  end(): void {
    const rest = this.#rest + this.#decoder.end();
    this.#rest = "";
    if (rest !== "" || this.#skipping) this.#finish(rest);
  }

  #finish(line: string): void {
    const skipped = this.#skipping;
    this.#skipping = false;
    if (skipped) return;
    const text = line.endsWith("\r") ? line.slice(0, -1) : line;
    if (text === "") return;
    this.#emit(text.length > this.#max ? `${text.slice(0, this.#max)}…` : text);
  }
}

/** Feeds every line of `stream` to `emit`; resolves when there will be no more. */
export function readLines(stream: Readable, emit: (line: string) => void): Promise<void> {
  const splitter = new LineSplitter(emit);
  stream.on("data", (chunk: Buffer) => splitter.push(chunk));
  stream.once("end", () => splitter.end());
  // The pipe of a killed child may break; its end is reported by the exit event.
  stream.on("error", () => undefined);
  return new Promise((resolve) => stream.once("close", resolve));
}
