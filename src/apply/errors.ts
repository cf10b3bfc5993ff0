// SPDX-License-Identifier: Apache-2.0

export type ApplyErrorCode =
  /** The file system said no: full, read-only, gone. */
  | "WRITE_FAILED"
  /** The program read the new configuration and declined it; the last good one is back in place. */
  | "REFUSED"
  /** The program gave no proof that it runs the new configuration. */
  | "UNVERIFIED"
  /** The program is not running; its configuration on disk stays the last good one. */
  | "NOT_RUNNING";

export class ApplyError extends Error {
  readonly code: ApplyErrorCode;

  constructor(code: ApplyErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
