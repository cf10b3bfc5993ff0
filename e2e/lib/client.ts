// SPDX-License-Identifier: Apache-2.0
/** Clients: curl and openssl as everybody has them, and connections that stay open. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect as connectPlain, type Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { fingerprintLeaf, normalizeFingerprint } from "../../src/apply/fingerprint.ts";

const run = promisify(execFile);

/** Body of `https://HOST:PORT/`, checked against `ca` when it is given. */
export async function curl(host: string, port: number, ca?: string): Promise<string> {
  const trust = ca === undefined ? ["--insecure"] : ["--cacert", ca];
  const url = `https://${host}:${port}/`;
  const args = ["--silent", "--show-error", "--max-time", "10", "--resolve", `${host}:${port}:127.0.0.1`];
  const { stdout } = await run("curl", [...args, ...trust, url]);
  return stdout.trim();
}

/** Exit status of curl; 0 is success. */
export async function curlStatus(host: string, port: number): Promise<number> {
  try {
    await curl(host, port);
    return 0;
  } catch (error) {
    return Number((error as { code?: number }).code ?? -1);
  }
}

/** Body of `SCHEME://HOST:PORT/PATH`, whatever its status. */
export async function fetchBody(
  scheme: "http" | "https",
  host: string,
  port: number,
  path: string,
): Promise<string> {
  const args = ["--silent", "--show-error", "--insecure", "--max-time", "10"];
  const target = [
    "--path-as-is",
    "--resolve",
    `${host}:${port}:127.0.0.1`,
    `${scheme}://${host}:${port}${path}`,
  ];
  const { stdout } = await run("curl", [...args, ...target]);
  return stdout.trim();
}

/** Status code of `https://HOST:PORT/`; 0 when there is no HTTP answer. */
export async function httpStatus(host: string, port: number): Promise<number> {
  const args = ["--silent", "--insecure", "--max-time", "10", "--resolve", `${host}:${port}:127.0.0.1`];
  const format = ["--output", "/dev/null", "--write-out", "%{http_code}"];
  try {
    const { stdout } = await run("curl", [...args, ...format, `https://${host}:${port}/`]);
    return Number(stdout);
  } catch {
    return 0;
  }
}

/** Fingerprint of the certificate that openssl's client is shown. */
export async function servedFingerprint(host: string, port: number): Promise<string> {
  const child = run("openssl", ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", host]);
  child.child.stdin?.end();
  const { stdout } = await child;
  return fingerprintLeaf(stdout);
}

/** A connection that can ask again and again. */
export class OpenConnection {
  readonly #socket: Socket;
  #received = "";
  #failed: Error | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk) => {
      this.#received += chunk.toString();
    });
    socket.on("error", (error) => {
      this.#failed = error;
    });
    socket.on("close", () => {
      this.#failed ??= new Error("closed");
    });
  }

  static async open(host: string, port: number): Promise<OpenConnection> {
    const socket = connect({ host: "127.0.0.1", port, servername: host, rejectUnauthorized: false });
    await once(socket, "secureConnect");
    return new OpenConnection(socket);
  }

  static async openPlain(port: number): Promise<OpenConnection> {
    const socket = connectPlain({ host: "127.0.0.1", port });
    await once(socket, "connect");
    return new OpenConnection(socket);
  }

  get fingerprint(): string {
    if (!(this.#socket instanceof TLSSocket)) throw new Error("without TLS there is no certificate");
    return normalizeFingerprint(this.#socket.getPeerCertificate().fingerprint256);
  }

  /** What came since the last request was sent. */
  get received(): string {
    return this.#received;
  }

  get failed(): Error | undefined {
    return this.#failed;
  }

  /** One request on this connection; the body of its answer. */
  async ask(host: string): Promise<string> {
    this.#received = "";
    this.#socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`);
    const deadline = Date.now() + 10_000;
    while (!/\r\n\r\n[^\n]*\n/.test(this.#received)) {
      if (this.#failed !== undefined) throw this.#failed;
      if (Date.now() > deadline) throw new Error(`no answer, only ${JSON.stringify(this.#received)}`);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return chunkOrBody(this.#received);
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return;
    const closed = once(this.#socket, "close");
    this.#socket.end();
    await closed;
  }
}

/** The backends' answers are one line, with a length. */
function chunkOrBody(answer: string): string {
  return answer.slice(answer.indexOf("\r\n\r\n") + 4).trim();
}

/** Runs `task` for 0 … count-1, `parallel` at a time. */
export async function inParallel<T>(
  count: number,
  parallel: number,
  task: (i: number) => Promise<T>,
): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const i = next++;
      results[i] = await task(i);
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallel, count) }, worker));
  return results;
}
