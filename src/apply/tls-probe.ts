// SPDX-License-Identifier: Apache-2.0
/** Asks the TLS port which certificate it serves for a name. */
import { createConnection } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";
import { normalizeFingerprint } from "./fingerprint.ts";

const RECORD_HANDSHAKE = 22;

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
  host = "127.0.0.1",
): Promise<string> {
  return new Promise((resolve, reject) => {
    const raw = createConnection({ host, port });
    raw.setNoDelay(true);
    const secure = connect({
      socket: withholdFinished(raw),
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
function withholdFinished(raw: ReturnType<typeof createConnection>): Duplex {
  let withheld = false;
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => {
      withheld ||= chunk[0] !== RECORD_HANDSHAKE;
      if (withheld) done();
      else raw.write(chunk, () => done());
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
