// SPDX-License-Identifier: Apache-2.0
/** Whether somebody listens on a port, found out without connecting: whoever relays would connect to a pod for it. */
import { readFile } from "node:fs/promises";

/** proc(5): state of a listening socket. */
const LISTEN = "0A";

export async function isListening(port: number): Promise<boolean> {
  const wanted = port.toString(16).toUpperCase().padStart(4, "0");
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const text = await readFile(table, "utf8").catch(() => "");
    for (const line of text.split("\n").slice(1)) {
      const [, local = "", , state] = line.trim().split(/\s+/);
      if (state === LISTEN && local.endsWith(`:${wanted}`)) return true;
    }
  }
  return false;
}
