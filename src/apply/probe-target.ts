// SPDX-License-Identifier: Apache-2.0
/** Where Hitch is to be asked which certificate it serves, as its installed configuration says. */
import { readFile } from "node:fs/promises";
import { probeCertificate } from "./tls-probe.ts";

export interface ProbeTarget {
  readonly port: number;
  /** Hitch wants a PROXY header first. */
  readonly proxied: boolean;
}

/** The first frontend's port: what there are more are the same. */
export function findProbeTarget(hitchConf: string): ProbeTarget | undefined {
  const port = /^\s*port = "(\d{1,5})"$/m.exec(hitchConf)?.[1];
  return port === undefined
    ? undefined
    : { port: Number(port), proxied: /^proxy-proxy = on$/m.test(hitchConf) };
}

/** Fingerprint of the certificate that Hitch serves for a name; not by way of Balance, which may hand the name to a pod. */
export async function probeHitch(
  hitchConfPath: string,
  servername: string | undefined,
  timeoutMs: number,
): Promise<string> {
  const target = findProbeTarget(await readFile(hitchConfPath, "utf8"));
  if (target === undefined) throw new Error("the installed configuration has no frontend");
  return probeCertificate(target.port, servername, timeoutMs, { proxied: target.proxied });
}
