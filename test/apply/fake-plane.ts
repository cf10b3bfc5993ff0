// SPDX-License-Identifier: Apache-2.0
/** Hitch and Balance as applying sees them: they read their files from the fake disk, and may decline them. */
import { Applier, type ReloadRecord } from "../../src/apply/applier.ts";
import { ApplyError } from "../../src/apply/errors.ts";
import type { HitchControl } from "../../src/apply/hitch-control.ts";
import type { Desired } from "../../src/apply/plan.ts";
import { type BalanceClient, BalanceError } from "../../src/balance-client/client.ts";
import { FakeClock } from "../fixtures/fake-clock.ts";
import { MemoryFs } from "../fixtures/memory-fs.ts";

const HITCH_CONF = "/run/hitch.conf";
const BALANCE_CONF = "/run/balance.conf";

export class FakePlane {
  readonly fs = new MemoryFs();
  readonly clock = new FakeClock();
  /** What happened to the children, in order. */
  readonly events: string[] = [];
  hitchRuns: string | undefined;
  balanceRuns: string | undefined;
  /** A text with this word is declined. */
  badWord = "BAD";
  hitchUnverified = false;
  balanceSilent = false;
  readonly records: ReloadRecord[] = [];
  readonly applier: Applier;

  constructor(reloadIntervalMs = 0) {
    const self = this;
    this.applier = new Applier({
      fs: this.fs,
      clock: this.clock,
      runDir: "/run",
      certDir: "/run/certs",
      reloadIntervalMs,
      onReload: (record) => this.records.push(record),
      hitch: {
        get ready() {
          return self.hitchRuns !== undefined;
        },
        ensureReady: async () => {
          this.events.push("start hitch");
          this.hitchRuns = this.loadHitch();
        },
        control: this.#control() as HitchControl,
      },
      balance: {
        get ready() {
          return self.balanceRuns !== undefined;
        },
        ensureReady: async () => {
          if (this.balanceRuns !== undefined) return;
          this.events.push("start balance");
          this.balanceRuns = this.loadBalance();
        },
        client: this.#client() as BalanceClient,
      },
    });
  }

  /** As after a crash: whatever is on the disk must do. */
  loadHitch(path = HITCH_CONF): string {
    const conf = this.fs.files.get(path) ?? "";
    if (conf.includes(this.badWord)) throw new ApplyError("REFUSED", "bad word");
    for (const match of conf.matchAll(/pem-file = "(.*)"/g)) {
      const pem = this.fs.files.get(match[1] ?? "");
      if (pem === undefined || !pem.endsWith("END\n"))
        throw new ApplyError("REFUSED", `${match[1]} is not whole`);
    }
    if (!conf.endsWith("end\n")) throw new ApplyError("REFUSED", "not whole");
    return conf;
  }

  loadBalance(): string {
    const conf = this.fs.files.get(BALANCE_CONF) ?? "";
    if (conf.includes(this.badWord) || !conf.endsWith("end\n"))
      throw new BalanceError("REFUSED", "balance.conf:1: bad");
    return conf;
  }

  #control(): Partial<HitchControl> {
    return {
      check: async (path) => {
        this.events.push("check hitch");
        this.loadHitch(path);
      },
      verify: async () => undefined,
      reload: async () => {
        this.events.push("reload hitch");
        this.hitchRuns = this.loadHitch();
        if (this.hitchUnverified) throw new ApplyError("UNVERIFIED", "another certificate");
      },
    };
  }

  #client(): Partial<BalanceClient> {
    const answer = () => ({ generation: 1, hash: /^hash (\S+)/.exec(this.balanceRuns ?? "")?.[1] ?? "" });
    const listen = () => {
      if (this.balanceSilent) throw new BalanceError("UNREACHABLE", "no answer");
    };
    return {
      status: async () => {
        listen();
        return answer() as Awaited<ReturnType<BalanceClient["status"]>>;
      },
      reload: async () => {
        this.events.push("reload balance");
        this.balanceRuns = this.loadBalance();
        listen();
        return answer();
      },
    };
  }
}

/** `certificates` by name; `word` varies Balance's text. */
export function makeDesired(names: readonly string[], word: string, hitchWord = "ok"): Desired {
  const path = (name: string) => `/run/certs/${name}.pem`;
  const files = names.map((name) => `pem-file = "${path(name)}"\n`).join("");
  return {
    hitchConf: `# ${hitchWord}\n${files}# end\n`,
    balanceConf: `hash ${word}\npool p ${word}\n# end\n`,
    balanceHash: word,
    certificates: new Map(names.map((name) => [path(name), `${name} BEGIN … END\n`])),
    served: [],
  };
}
