// SPDX-License-Identifier: Apache-2.0

const NEWLINE = 0x0a;
/** etcd takes 1.5 MB, an aggregated API may have more; without end nobody's memory suffices. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;

/** Bytes of a stream → whole lines; what comes after the last newline waits for its end. */
export class LineSplitter {
  #parts: Uint8Array[] = [];
  #size = 0;

  /** Throws a RangeError when a line does not end. */
  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      lines.push(this.#join(chunk.subarray(from, end)));
      from = end + 1;
    }
    if (from < chunk.length) {
      this.#parts.push(chunk.subarray(from));
      this.#size += chunk.length - from;
      if (this.#size > MAX_LINE_BYTES) throw new RangeError("a line of the watch has no end");
    }
    return lines;
  }

  #join(last: Uint8Array): string {
    const whole = this.#parts.length === 0 ? last : Buffer.concat([...this.#parts, last]);
    this.#parts = [];
    this.#size = 0;
    return Buffer.from(whole.buffer, whole.byteOffset, whole.byteLength).toString("utf8");
  }
}
