// SPDX-License-Identifier: Apache-2.0
/** What a long run is at, on standard error: the tables alone are the output. */

const begin = performance.now();

/** `3:07` */
export function formatElapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function tellProgress(what: string): void {
  process.stderr.write(`[${formatElapsed(performance.now() - begin).padStart(5)}] ${what}\n`);
}
