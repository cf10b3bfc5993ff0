// SPDX-License-Identifier: Apache-2.0
/** What has to be done to get from the applied configuration to the wanted one; pure, and always the least. */

/** What the host should be answered with; one handshake tells. */
export interface ServedCertificate {
  readonly path: string;
  /** A name this certificate is served for; undefined for the default certificate (any other name). */
  readonly host: string | undefined;
  readonly pem: string;
}

export interface Desired {
  readonly hitchConf: string;
  readonly balanceConf: string;
  /** The `hash` in balanceConf, echoed by Balance's `status`. */
  readonly balanceHash: string;
  /** File contents by path. */
  readonly certificates: ReadonlyMap<string, string>;
  readonly served: readonly ServedCertificate[];
}

/** What runs and has been verified, per child, so that one child's refusal does not hold the other back. */
export interface Applied {
  readonly hitch?: { readonly conf: string; readonly certificates: ReadonlySet<string> };
  readonly balance?: { readonly conf: string };
}

export type ReloadReason = "start" | "certificates" | "endpoints" | "routes" | "listeners" | "settings";

export type Step =
  | { readonly type: "write-certificates"; readonly paths: readonly string[] }
  /** `afterHitch`: only when Hitch could be reloaded. */
  | { readonly type: "balance"; readonly reason: ReloadReason; readonly afterHitch?: true }
  | { readonly type: "hitch"; readonly reason: ReloadReason; readonly verify: readonly ServedCertificate[] }
  /** Certificates that neither the wanted nor the running configuration names. */
  | { readonly type: "remove-certificates"; readonly keep: ReadonlySet<string> };

/** More handshakes would prove little more and cost the data plane. */
const MAX_VERIFIED = 8;

/**
 * Certificates first (a configuration names only files that exist), then Balance (a route is there before the certificate
 * that invites its clients), then Hitch, and at last what nobody needs any more.
 */
export function planSteps(applied: Applied, desired: Desired): Step[] {
  const steps: Step[] = [];
  const known = applied.hitch?.certificates ?? new Set<string>();
  const added = [...desired.certificates.keys()].filter((path) => !known.has(path));
  const hitchReason = explainHitch(applied.hitch?.conf, desired.hitchConf);
  const balanceReason = explainBalance(applied.balance?.conf, desired.balanceConf);
  if (hitchReason !== undefined && added.length > 0) steps.push({ type: "write-certificates", paths: added });
  // Hitch takes the TLS ports back before Balance lets go of them.
  const gives = hasFront(applied.hitch?.conf ?? "") && !hasFront(desired.hitchConf);
  if (balanceReason !== undefined && !gives) steps.push({ type: "balance", reason: balanceReason });
  if (hitchReason !== undefined) {
    const isNew = new Set(added);
    const verify = desired.served.filter((one) => isNew.has(one.path)).slice(0, MAX_VERIFIED);
    steps.push({ type: "hitch", reason: hitchReason, verify });
    if (balanceReason !== undefined && gives)
      steps.push({ type: "balance", reason: balanceReason, afterHitch: true });
    steps.push({ type: "remove-certificates", keep: new Set(desired.certificates.keys()) });
  }
  return steps;
}

function hasFront(hitchConf: string): boolean {
  return /^proxy-proxy = on$/m.test(hitchConf);
}

const OF_CONTEXTS = /^(?:tls-protos|ciphers|ciphersuites|ecdh-curve|prefer-server-ciphers|ocsp-dir)\b/;
/** Where the certificates begin in hitch.conf. */
const CERTIFICATES = /^# Certificates\b/m;

/**
 * In a reload Hitch 1.8.0 makes its OpenSSL contexts by the settings of the configuration before. So where these change a reload goes
 * first that changes them alone; the one after it, with the certificates under other names, makes the contexts anew.
 */
export function findSettingsStep(before: string | undefined, after: string): string | undefined {
  if (before === undefined || before === "") return undefined;
  const settings = (conf: string) => selectLines(conf, (line) => OF_CONTEXTS.test(line));
  if (settings(before) === settings(after)) return undefined;
  const [from, to] = [before.search(CERTIFICATES), after.search(CERTIFICATES)];
  return from < 0 || to < 0 ? undefined : `${after.slice(0, to)}${before.slice(from)}`;
}

/** Undefined when nothing changed. */
export function explainHitch(before: string | undefined, after: string): ReloadReason | undefined {
  if (before === undefined) return "start";
  if (before === after) return undefined;
  const others = (conf: string) =>
    selectLines(conf, (line) => !/^\s*(?:pem-file|cert|client-verify|\})/.test(line));
  if (others(before) === others(after)) return "certificates";
  const frontend = (conf: string) => selectLines(conf, (line) => /^\s*(frontend|host|port)\b/.test(line));
  return frontend(before) === frontend(after) ? "settings" : "listeners";
}

/** The weightiest difference names the reason: listeners, then routes, then endpoints. */
export function explainBalance(before: string | undefined, after: string): ReloadReason | undefined {
  if (before === undefined) return "start";
  if (before === after) return undefined;
  const differs = (...words: readonly string[]) => {
    const starts = (line: string) => words.includes(/^\s*(\S+)\s/.exec(line)?.[1] ?? "");
    return selectLines(before, starts) !== selectLines(after, starts);
  };
  if (differs("listen")) return "listeners";
  if (differs("route", "rule", "default")) return "routes";
  if (differs("pool")) return "endpoints";
  return "settings";
}

function selectLines(text: string, wanted: (line: string) => boolean): string {
  return text
    .split("\n")
    .filter((line) => wanted(line))
    .join("\n");
}
