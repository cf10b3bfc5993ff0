// SPDX-License-Identifier: Apache-2.0
/** Asks the TLS port which certificate it serves for a name. */
import { createConnection } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";
import { normalizeFingerprint } from "./fingerprint.ts";

const RECORD_HANDSHAKE = 22;
/** PROXY v2, LOCAL: the sender speaks for itself (haproxy.org, "The PROXY protocol", 2.2). It goes with what follows: Hitch wants it in one piece. */
const PROXY_LOCAL = Buffer.from("0d0a0d0a000d0a515549540a20000000", "hex");

/**
 * SHA-256 fingerprint of the leaf served for `servername`.
 *
 * The handshake is left unfinished: in TLS 1.3 the client has the certificate before it sends its Finished message, and
 * as long as that is withheld Hitch opens no connection to Balance. So a probe reaches no pod and is in no counter.
 */
export function probeCertificate(
  port: number,
  servername: string | undefined,
  timeoutMs: number,
  { host = "127.0.0.1", proxied = false }: { readonly host?: string; readonly proxied?: boolean } = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const raw = createConnection({ host, port });
    raw.setNoDelay(true);
    const secure = connect({
      socket: withholdFinished(raw, proxied ? PROXY_LOCAL : undefined),
      minVersion: "TLSv1.3",
      rejectUnauthorized: false,
      ...(servername === undefined ? {} : { servername }),
    });
    const finish = (act: () => void) => {
      clearTimeout(timer);
      raw.destroy();
      secure.destroy();
      act();
    };
    const timer = setTimeout(
      () => finish(() => reject(new Error(`no TLS handshake on port ${port} within ${timeoutMs} ms`))),
      timeoutMs,
    );
    raw.once("error", (error) => finish(() => reject(error)));
    secure.on("error", (error) => finish(() => reject(error)));
    secure.once("secureConnect", () => {
      const { fingerprint256 } = secure.getPeerCertificate();
      finish(() => resolve(normalizeFingerprint(fingerprint256)));
    });
  });
}

/** Passes everything from the server, but to the server only plain handshake records: the ClientHello(s). */
function withholdFinished(raw: ReturnType<typeof createConnection>, preface?: Buffer): Duplex {
  let withheld = false;
  let first = preface;
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      withheld ||= chunk[0] !== RECORD_HANDSHAKE;
      if (withheld) done();
      else raw.write(first === undefined ? chunk : Buffer.concat([first, chunk]), () => done());
      first = undefined;
    },
    final: (done) => done(),
    destroy: (error, done) => {
      raw.destroy();
      done(error);
    },
  });
  raw.on("data", (chunk) => duplex.push(chunk));
  raw.once("end", () => duplex.push(null));
  raw.once("close", () => duplex.push(null));
  return duplex;
}
