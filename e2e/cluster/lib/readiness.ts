// SPDX-License-Identifier: Apache-2.0
/** Watches one pod from outside: whether it serves, and whether /readyz says the truth about that. */
import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { ask, type Target } from "./load.ts";

const ASK_MS = 1000;
const LOOK_MS = 20;

export interface Outage {
  /** From the start of the watch until it served again, and said so. */
  readonly resumedMs: number;
  /** Not one look in which it was both. */
  readonly unreadySeen: boolean;
  /** How long it said ready, before and after a request that it failed. */
  readonly lieMs: number;
  /** Requests to that pod that failed meanwhile. */
  readonly failed: number;
}

export class PodWatch {
  readonly #address: string;
  readonly #target: Target;

  constructor(address: string, target: Omit<Target, "address" | "port">) {
    this.#address = address;
    this.#target = { ...target, address, port: 8443 };
  }

  /** Does `harm`, and watches until `back` is true and the pod serves and says so. */
  async during(harm: () => void, back: () => Promise<boolean>, timeoutMs: number): Promise<Outage> {
    harm();
    const start = Date.now();
    let lieMs = 0;
    let failed = 0;
    let unreadySeen = false;
    for (;;) {
      const look = Date.now();
      const told = await this.#ready();
      const serves = await this.#serves();
      unreadySeen ||= !told;
      if (!serves) failed++;
      if (told && serves && (await back()))
        return { resumedMs: Date.now() - start, lieMs, failed, unreadySeen };
      if (told && !serves && (await this.#ready())) lieMs += Date.now() - look;
      if (Date.now() - start > timeoutMs)
        throw new Error(`not back after ${timeoutMs} ms: ready ${told}, serves ${serves}`);
      await sleep(LOOK_MS);
    }
  }

  async #serves(): Promise<boolean> {
    try {
      return (await within(ASK_MS, ask(this.#target))).status === 200;
    } catch {
      return false;
    }
  }

  async #ready(): Promise<boolean> {
    const status = new Promise<number>((resolve, reject) => {
      const call = request({
        host: this.#address,
        port: 10254,
        path: "/readyz",
        agent: false,
        timeout: ASK_MS,
      });
      call.on("timeout", () => call.destroy(new Error("no answer")));
      call.on("error", reject);
      call.on("response", (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      call.end();
    });
    return (await status.catch(() => 0)) === 200;
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
