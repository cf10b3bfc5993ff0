// SPDX-License-Identifier: Apache-2.0
/** Hitch and Balance, and each of them with something else. */
import { chmodSync, readFileSync } from "node:fs";
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

/** `from` is where Hitch's connections arrive: `unix:PATH`, or `tcp:ADDRESS:PORT`; `guests`: the socket where Hitch's workers may join. */
export const balanceConf = (
  mode: Mode,
  from: string,
  plain: number,
  pod: number,
  guests?: string,
) => `workers 1
${guests === undefined ? "" : `guests 4 unix:${guests}`}
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

/** Hitch's workers join unless the processes are to be separate. */
function evener(mode: Mode, port: number, isSeparate = false): Peer {
  const lane = `${mode === "http" ? "HTTP" : "TCP"} lane`;
  return {
    name: `Evener, ${lane}${isSeparate ? ", separate processes" : ""}`,
    mode,
    ours: true,
    async start({ session, bin, pod, pems }: Setup): Promise<Running> {
      const socket = join(session.dir, `balance-${port}.sock`);
      const guests = isSeparate ? undefined : join(session.dir, `join-${port}.sock`);
      const text = balanceConf(mode, `unix:${socket}`, port + 1, pod, guests);
      const balance = session.start(join(bin, "balance"), [
        "--config",
        session.write(`balance-${port}.conf`, text),
      ]);
      await waitForPort(port + 1);
      for (const path of [socket, ...(guests === undefined ? [] : [guests])]) chmodSync(path, 0o666);
      const writeConf = (files: readonly string[]) =>
        session.write(`hitch-${port}.conf`, hitchConf(port, socket, files, true));
      const hitch = session.start(
        join(bin, "hitch"),
        [`--config=${writeConf(pems)}`],
        guests === undefined ? {} : { BALANCE_JOIN: guests },
      );
      let reloads = 0;
      return {
        port,
        plainPort: port + 1,
        pids: [hitch, balance],
        // Hitch keeps what it has loaded as long as the file's name stays; the controller gives a renewed certificate another.
        reload: () => {
          const renewed = session.write(
            `renewed-${port}-${reloads++}.pem`,
            readFileSync(pems.at(-1) ?? "", "utf8"),
          );
          writeConf([...pems.slice(0, -1), renewed]);
          process.kill(hitch, "SIGHUP");
        },
      };
    },
  };
}

export const evenerHttp = evener("http", 21100);
export const evenerTcp = evener("tcp", 21110);
/** As with `--separate-processes`. */
export const evenerSeparate = evener("http", 21140, true);

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
