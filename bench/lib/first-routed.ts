// SPDX-License-Identifier: Apache-2.0
/** How long after a change was begun the first connection goes where it says. */
import { Agent, get } from "node:https";
import { setTimeout as sleep } from "node:timers/promises";

const PAUSE_MS = 3;
const PATIENCE_MS = 30_000;

/** Every request comes by a connection of its own, so that each is routed anew. */
const agent = new Agent({ keepAlive: false, rejectUnauthorized: false });

/** The answer's text; empty when there is none. */
export function askAnew(port: number, host: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { port, host: "127.0.0.1", servername: host, headers: { host }, agent };
    const request = get(options, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () => resolve(body.trim()));
    });
    request.on("error", () => resolve(""));
  });
}

/** Milliseconds from calling `write` until `ask` answers with `wanted`; `write` has ended by then, too. */
export async function timeFirstRouted(
  write: () => Promise<unknown>,
  ask: () => Promise<string>,
  wanted: string,
): Promise<number> {
  const start = performance.now();
  const written = write();
  while ((await ask()) !== wanted) {
    if (performance.now() - start > PATIENCE_MS) throw new Error(`the change to ${wanted} never arrived`);
    // Handshakes without a pause would take the processors from what is measured.
    await sleep(PAUSE_MS);
  }
  const took = performance.now() - start;
  await written;
  return took;
}
