// SPDX-License-Identifier: Apache-2.0
/** The relays that are compared: each one's configuration, and what is started for it. */
import { join } from "node:path";

export interface RelayPeer {
  readonly name: string;
  /** Command lines, one per process that is started. */
  readonly commands: readonly (readonly [string, ...string[]])[];
  readonly port: number;
}

export interface RelaySetting {
  readonly dir: string;
  readonly balance: string;
  readonly backends: readonly number[];
  readonly connections: number;
  readonly port: (nth: number) => number;
  readonly write: (file: string, text: string) => void;
}

/** So many connections fit into one process where it may have 20,000 descriptors: two each, and some for pipes. */
const PER_PROCESS = 9000;

function balance(s: RelaySetting): RelayPeer {
  const file = join(s.dir, "balance.conf");
  const port = s.port(0);
  const channels = s.backends.map((backend) => `127.0.0.1:${backend}`).join(" ");
  s.write(file, `workers 4\nlisten l tcp:127.0.0.1:${port}\npool p ${channels}\nroute l * p\n`);
  return { name: "Balance, 4 workers", commands: [[s.balance, "--config", file]], port };
}

/** haproxy forks no more (nbproc went with 2.5), so several of them share the port: SO_REUSEPORT, which haproxy sets by itself. */
function haproxy(s: RelaySetting, nth: number, name: string, option: string): RelayPeer {
  const port = s.port(nth);
  const instances = Math.ceil(s.connections / PER_PROCESS) + 1;
  const servers = s.backends.map((backend, i) => `  server s${i} 127.0.0.1:${backend}\n`).join("");
  const file = join(s.dir, `haproxy-${nth}.cfg`);
  s.write(
    file,
    `global
  maxconn ${PER_PROCESS}
  maxpipes 400
  nbthread 1
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  ${option}
listen l
  bind 127.0.0.1:${port}
  balance roundrobin
${servers}`,
  );
  const one = ["haproxy", "-db", "-f", file] as const;
  return { name: `${name}, ${instances} processes`, commands: new Array(instances).fill(one), port };
}

export function relayPeers(s: RelaySetting): RelayPeer[] {
  return [
    balance(s),
    haproxy(s, 1, "haproxy", ""),
    haproxy(s, 2, "haproxy with splice-auto", "option splice-auto"),
  ];
}
