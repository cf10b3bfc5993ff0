// SPDX-License-Identifier: Apache-2.0
/** Which endpoint gets a connection. */
import type { BackupService, Strategy } from "../backend-settings.ts";
import { isDnsLabel, isPortName, isPortNumber } from "../names.ts";
import { annotation, type Parsed } from "./spec.ts";
import { accept, parseBoolean, parseSeconds, refuse } from "./values.ts";

const STRATEGIES: Readonly<Record<string, Strategy>> = {
  "round-robin": "round-robin",
  round_robin: "round-robin",
  "least-connections": "least-connections",
  least_conn: "least-connections",
  "power-of-two": "power-of-two",
  "source-hash": "source-hash",
  ip_hash: "source-hash",
  first: "first",
};

// haproxy's own names; `static-rr` differs from `roundrobin` in what changes while it runs, which weights don't here.
const ALGORITHMS: Readonly<Record<string, Strategy>> = {
  roundrobin: "round-robin",
  "static-rr": "round-robin",
  leastconn: "least-connections",
  source: "source-hash",
  first: "first",
  random: "power-of-two",
  "random(2)": "power-of-two",
};

/** nginx's variables for it, and haproxy's word. */
const SOURCE = /^(?:source|\$(?:binary_)?remote_addr|\$\{(?:binary_)?remote_addr\})$/i;
const OF_REQUESTS = /^(?:uri|url_param|hdr|hash|rdp-cookie)\b/;
const MAX_BACKUPS = 8;

function parseStrategy(text: string): Parsed<Strategy> {
  const word = text.toLowerCase();
  if (word === "ewma") {
    const note =
      "is taken as power-of-two: of two endpoints the one with fewer connections; times are not measured";
    return accept("power-of-two", note);
  }
  const found = Object.hasOwn(STRATEGIES, word) ? STRATEGIES[word] : undefined;
  if (found !== undefined) return accept(found);
  return refuse("is none of round-robin, least-connections, power-of-two, source-hash, first");
}

function parseAlgorithm(text: string): Parsed<Strategy> {
  const word = text.toLowerCase();
  const found = Object.hasOwn(ALGORITHMS, word) ? ALGORITHMS[word] : undefined;
  if (found !== undefined) return accept(found);
  if (OF_REQUESTS.test(word)) {
    return refuse(
      "hashes what is in a request; only the client's address (source) is hashed",
      "AnnotationNotSupported",
    );
  }
  if (/^random\(\d{1,3}\)$/.test(word))
    return accept("power-of-two", "is taken as random(2), the only one there is");
  return refuse(`is none of ${Object.keys(ALGORITHMS).join(", ")}`);
}

function parseHashBy(text: string): Parsed<Strategy> {
  if (SOURCE.test(text)) return accept("source-hash");
  const why =
    "is not supported: only the client's address is hashed ($remote_addr, $binary_remote_addr or source)";
  return refuse(why, "AnnotationNotSupported");
}

/** `NAME:PORT,NAME:PORT`, the port by number or by name. */
function parseBackups(text: string): Parsed<readonly BackupService[]> {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.length > MAX_BACKUPS) return refuse(`names more than ${MAX_BACKUPS} Services`);
  const backups: BackupService[] = [];
  for (const part of parts) {
    const [service = "", port = "", ...rest] = part.split(":");
    const number = /^\d{1,5}$/.test(port) ? Number(port) : undefined;
    const portOk = number === undefined ? isPortName(port) : isPortNumber(number);
    if (rest.length > 0 || !isDnsLabel(service) || !portOk)
      return refuse("is no list of Services such as NAME:PORT");
    backups.push(Object.freeze({ service, port: number ?? port }));
  }
  return accept(Object.freeze(backups));
}

export const BALANCING = {
  loadBalance: annotation({
    name: "load-balance",
    nginx: true,
    scope: "backend",
    type: "round-robin, least-connections, power-of-two, source-hash or first; also round_robin, least_conn, ip_hash, ewma",
    doc: "which endpoint gets the next connection, in the HTTP lane the next request (default round-robin); `source-hash` keeps a client's address at its endpoint",
    onFault: "ignore",
    parse: parseStrategy,
  }),
  balanceAlgorithm: annotation({
    name: "balance-algorithm",
    nginx: false,
    scope: "backend",
    type: "roundrobin, static-rr, leastconn, source, first, random or random(2)",
    doc: "the same in haproxy's words; `load-balance` and `upstream-hash-by` win over it",
    onFault: "ignore",
    parse: parseAlgorithm,
  }),
  hashBy: annotation({
    name: "upstream-hash-by",
    nginx: true,
    scope: "backend",
    type: "$remote_addr, $binary_remote_addr or source",
    doc: "the same as `load-balance: source-hash`, and wins over `load-balance`; nothing but the address can be hashed",
    onFault: "ignore",
    parse: parseHashBy,
  }),
  slowStart: annotation({
    name: "slow-start",
    nginx: false,
    scope: "backend",
    type: "seconds from 0 to 3600",
    doc: "an endpoint that is new, or back, rises from a tenth of its share to all of it over this time (default 0)",
    onFault: "ignore",
    parse: parseSeconds(0, 3600),
  }),
  preferZone: annotation({
    name: "prefer-zone",
    nginx: false,
    scope: "backend",
    type: "true or false",
    doc: "endpoints in Evener's own zone (`--zone`) come first, the others when none of them can be reached (default false)",
    onFault: "ignore",
    parse: parseBoolean,
  }),
  backups: annotation({
    name: "backup-service",
    nginx: false,
    scope: "backend",
    type: "NAME:PORT of Services of the same namespace, separated by commas, at most 8",
    doc: "tried in this order when no endpoint of the Service can be reached",
    onFault: "ignore",
    parse: parseBackups,
  }),
  serviceUpstream: annotation({
    name: "service-upstream",
    nginx: true,
    scope: "backend",
    type: "true or false",
    doc: "connect to the Service's cluster IP instead of its endpoints (default false)",
    onFault: "ignore",
    parse: parseBoolean,
  }),
};
