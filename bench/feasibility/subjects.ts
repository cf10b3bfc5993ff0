// SPDX-License-Identifier: Apache-2.0
/** What is compared: Hitch and Balance each alone, joined in one way or another, built in one way or another; and other relays. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { waitForPort } from "../lib/session.ts";
import { balanceConf, hitchAlone, hitchConf } from "../peers/evener.ts";
import { haproxyTcp, nginxStream } from "../peers/others.ts";
import type { Mode, Peer, Setup } from "../peers/peer.ts";

export interface Started {
  readonly port: number;
  readonly tls: boolean;
  /** Roots of the process tree. */
  readonly pids: readonly number[];
  /** Those of them that are Balance, where there is Hitch, too. */
  readonly balance?: readonly number[];
}

export interface Subject {
  readonly name: string;
  readonly start: (setup: Setup) => Promise<Started>;
}

/** Several of them share a directory, so their files are named by port: TLS, plain, and the hop. */
function joined(
  name: string,
  mode: Mode,
  port: number,
  over: "memory" | "unix" | "tcp",
  bin?: string,
): Subject {
  return {
    name,
    async start(setup) {
      const { session, pod, pems } = setup;
      const programs = bin ?? setup.bin;
      const socket = join(session.dir, `${port}.sock`);
      const hop = port + 2;
      const address = over === "tcp" ? `tcp:127.0.0.1:${hop}` : `unix:${socket}`;
      const guests = over === "memory" ? join(session.dir, `${port}-join.sock`) : undefined;
      const conf = session.write(`balance-${port}.conf`, balanceConf(mode, address, port + 1, pod, guests));
      const balance = session.start(join(programs, "balance"), ["--config", conf]);
      await waitForPort(port + 1);
      for (const path of [over === "tcp" ? [] : socket, guests ?? []].flat()) chmodSync(path, 0o666);
      const backend = over === "tcp" ? `[127.0.0.1]:${hop}` : socket;
      const file = session.write(`hitch-${port}.conf`, hitchConf(port, backend, pems, true));
      const env = guests === undefined ? {} : { BALANCE_JOIN: guests };
      const hitch = session.start(join(programs, "hitch"), [`--config=${file}`], env);
      return {
        port,
        tls: true,
        pids: [hitch, balance],
        ...(over === "memory" ? {} : { balance: [balance] }),
      };
    },
  };
}

function balanceAlone(name: string, mode: Mode, port: number): Subject {
  return {
    name,
    async start({ session, bin, pod }) {
      const address = `unix:${join(session.dir, `${port}.sock`)}`;
      const conf = session.write(`balance-${port}.conf`, balanceConf(mode, address, port, pod));
      return { port, tls: false, pids: [session.start(join(bin, "balance"), ["--config", conf])] };
    },
  };
}

/** The listener of another proxy that does without TLS. */
function withoutTls(name: string, peer: Peer): Subject {
  return {
    name,
    async start(setup) {
      const { plainPort = 0, pids } = await peer.start(setup);
      return { port: plainPort, tls: false, pids };
    },
  };
}

function forking(name: string, port: number, program: string, args: (pod: number) => string[]): Subject {
  return {
    name,
    start: async ({ session, pod }) => ({ port, tls: false, pids: [session.start(program, args(pod))] }),
  };
}

/** Inlab's Balance 3.57 where it is given, else a relay that counts as it does. */
function inlabOrLike(forkRelay: string, port: number): Subject {
  const program = process.env.BALANCE_UPSTREAM;
  return program === undefined
    ? forking("the same, with a lock for each block", port, forkRelay, (pod) => [
        `${port}`,
        `${pod}`,
        "count",
      ])
    : forking("Inlab's Balance", port, program, (pod) => [
        "-f",
        "-b",
        "127.0.0.1",
        `${port}`,
        `127.0.0.1:${pod}`,
      ]);
}

export const HITCH: Subject = {
  name: "Hitch alone",
  start: async (setup) => ({ ...(await hitchAlone.start(setup)), tls: true }),
};

/** The ways from Hitch to Balance: separate processes, then the product's own; each is compared with Hitch alone. */
export const WAYS: Readonly<Record<Mode, readonly Subject[]>> = {
  tcp: [
    joined("TCP lane, Unix socket", "tcp", 22010, "unix"),
    joined("TCP lane, loopback TCP", "tcp", 22020, "tcp"),
    joined("TCP lane, one process", "tcp", 22050, "memory"),
  ],
  http: [
    joined("HTTP lane, Unix socket", "http", 22030, "unix"),
    joined("HTTP lane, loopback TCP", "http", 22040, "tcp"),
    joined("HTTP lane, one process", "http", 22060, "memory"),
  ],
};

export const BALANCE: Readonly<Record<Mode, Subject>> = {
  tcp: balanceAlone("Balance alone, TCP lane", "tcp", 22110),
  http: balanceAlone("Balance alone, HTTP lane", "http", 22120),
};

/** In the order in which they are shown. */
export const listRelays = (forkRelay: string) => ({
  balance: balanceAlone("**Balance, TCP lane**", "tcp", 22210),
  haproxy: withoutTls("haproxy, tcp", haproxyTcp),
  nginx: withoutTls("nginx, stream", nginxStream),
  forking: forking("a process per connection", 22300, forkRelay, (pod) => ["22300", `${pod}`]),
  inlab: inlabOrLike(forkRelay, 22310),
});

/** The whole of Evener, HTTP lane, as `variants.sh` has built it; the product first. */
export function listBuilds(variants: string): readonly Subject[] {
  const build = (name: string, port: number, bin?: string) =>
    joined(name, "http", port, "memory", bin === undefined ? undefined : join(variants, bin));
  return [
    build("**static musl, mimalloc** (the product)", 22410),
    build("static musl, its own malloc", 22420, "musl-malloc"),
    build("static glibc, mimalloc", 22430, "glibc-mimalloc"),
    build("glibc as a shared library, its own malloc", 22440, "glibc-dynamic"),
  ];
}
