// SPDX-License-Identifier: Apache-2.0
/** Hitch and Balance, and each of them with something else. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { waitForPort } from "../lib/session.ts";
import type { Mode, Peer, Running, Setup } from "./peer.ts";

const isRoot = process.getuid?.() === 0;

export const hitchConf = (
  port: number,
  backend: string,
  pems: readonly string[],
  proxy: boolean,
) => `frontend = {
  host = "127.0.0.1"
  port = "${port}"
}
backend = "${backend}"
backlog = 4096
workers = 1
daemon = off
quiet = on
${isRoot ? 'user = "nobody"' : ""}
${proxy ? "write-proxy-v2 = on\nproxy-tlv = on" : ""}
tls-protos = TLSv1.3
alpn-protos = "http/1.1"
ocsp-dir = "/dev/null/none"
${[...pems]
  .reverse()
  .map((pem) => `pem-file = "${pem}"`)
  .join("\n")}
`;

/** `from` is where Hitch's connections arrive: `unix:PATH`, or `tcp:ADDRESS:PORT`. */
export const balanceConf = (mode: Mode, from: string, plain: number, pod: number) => `workers 1
${
  mode === "http"
    ? `listen https ${from} proxy=v2 table=web
listen http tcp:127.0.0.1:${plain} table=web
pool pods 127.0.0.1:${pod}
rule web * prefix / pods`
    : `listen https ${from} proxy=v2
listen http tcp:127.0.0.1:${plain}
pool pods 127.0.0.1:${pod}
route https * pods
route http * pods`
}
`;

function evener(mode: Mode, port: number): Peer {
  return {
    name: `Evener, ${mode === "http" ? "HTTP" : "TCP"} lane`,
    mode,
    ours: true,
    async start({ session, bin, pod, pems }: Setup): Promise<Running> {
      const socket = join(session.dir, `balance-${mode}.sock`);
      const conf = session.write(`balance-${mode}.conf`, balanceConf(mode, `unix:${socket}`, port + 1, pod));
      const balance = session.start(join(bin, "balance"), ["--config", conf]);
      await waitForPort(port + 1);
      chmodSync(socket, 0o666);
      const file = session.write(`hitch-${mode}.conf`, hitchConf(port, socket, pems, true));
      const hitch = session.start(join(bin, "hitch"), [`--config=${file}`]);
      return {
        port,
        plainPort: port + 1,
        pids: [hitch, balance],
        reload: () => process.kill(hitch, "SIGHUP"),
      };
    },
  };
}

export const evenerHttp = evener("http", 21100);
export const evenerTcp = evener("tcp", 21110);

/** TLS only: what Balance adds is the difference. */
export const hitchAlone: Peer = {
  name: "Hitch alone",
  mode: "tcp",
  ours: true,
  async start({ session, bin, pod, pems }) {
    const file = session.write("hitch-alone.conf", hitchConf(21120, `[127.0.0.1]:${pod}`, pems, false));
    return { port: 21120, pids: [session.start(join(bin, "hitch"), [`--config=${file}`])] };
  },
};

/** A process for each connection, as Inlab's Balance 3.57 works, behind Hitch. `BALANCE_UPSTREAM` names the program. */
export const hitchWithUpstream: Peer = {
  name: "Hitch and a process per connection",
  mode: "tcp",
  ours: false,
  async start({ session, bin, pod, pems }) {
    const program = process.env.BALANCE_UPSTREAM ?? "";
    const balance = session.start(program, ["-f", "-b", "127.0.0.1", "21131", `127.0.0.1:${pod}`]);
    await waitForPort(21131);
    const file = session.write("hitch-upstream.conf", hitchConf(21130, "[127.0.0.1]:21131", pems, false));
    const hitch = session.start(join(bin, "hitch"), [`--config=${file}`]);
    return { port: 21130, plainPort: 21131, pids: [hitch, balance] };
  },
};
