// SPDX-License-Identifier: Apache-2.0
/**
 * ClientCertificatePolicies → what is demanded of the clients of which host. Where a policy can't be carried out the rules of its
 * namespace for these hosts are closed: they must not let in whom the policy would not.
 */
import type { V1Ingress } from "@kubernetes/client-node";
import type { ClientCertificatePolicy } from "../crd/resource.ts";
import { type ClientCa, type ClientCertificateDemand, readClientCa } from "./client-certificates.ts";
import { isHost } from "./names.ts";
import { describeVerdict, type PolicyStatus, type Refusal, type Verdict } from "./policy-status.ts";
import type { Report } from "./problems.ts";
import { compareText, formatRef, keyOf, refOf, sortByAge } from "./refs.ts";
import type { ObjectRef, Store } from "./types.ts";

export interface ClientCertificatePolicies {
  /** Sorted by host. */
  readonly demands: readonly ClientCertificateDemand[];
  /** `namespace/host` of rules that must not be served. */
  readonly closed: ReadonlySet<string>;
  /** Hosts that must not be served by anybody, since whoever has them asks and can't be helped; by which policy. */
  readonly closedHosts: ReadonlyMap<string, ObjectRef>;
  /** `namespace/name` of Ingresses whose rules without a host must not be served. */
  readonly closedHostless: ReadonlySet<string>;
  /** What becomes of them; `impossible` are hosts whose demand could not be carried out after all. */
  readonly describe: (impossible: ReadonlyMap<string, Refusal>) => readonly PolicyStatus[];
}

export const NO_POLICIES: ClientCertificatePolicies = Object.freeze({
  demands: Object.freeze([]),
  closed: new Set<string>(),
  closedHosts: new Map<string, ObjectRef>(),
  closedHostless: new Set<string>(),
  describe: () => [],
});

export function closedKey(namespace: string, host: string): string {
  return `${namespace}/${host}`;
}

/** `ingresses` are ours, oldest first. */
export function readClientCertificatePolicies(
  ingresses: readonly V1Ingress[],
  store: Pick<Store, "clientCertificatePolicies" | "configMaps" | "secrets">,
  now: Date,
  report: Report,
): ClientCertificatePolicies {
  if (store.clientCertificatePolicies.size === 0) return NO_POLICIES;
  const owners = findHostOwners(ingresses);
  const demands = new Map<string, ClientCertificateDemand>();
  const closed = new Map<string, ObjectRef>();
  const closedHosts = new Map<string, ObjectRef>();
  const closedHostless = new Set<string>();
  const describers: ((impossible: ReadonlyMap<string, Refusal>) => PolicyStatus)[] = [];
  for (const policy of sortByAge([...store.clientCertificatePolicies.values()])) {
    const ref = refOf("ClientCertificatePolicy", policy);
    const namespace = ref.namespace ?? "";
    const told = new Findings(ref, report);
    const ca = readCa(policy, namespace, store, now, told);
    const lostTo: ObjectRef[] = [];
    const granted: string[] = [];
    for (const { name } of policy.spec.targetRefs ?? []) closedHostless.add(keyOf({ namespace, name }));
    for (const host of listHosts(policy, namespace, ingresses, told)) {
      const key = closedKey(namespace, host);
      const older = demands.get(host)?.source ?? closed.get(key);
      if (older !== undefined) {
        lostTo.push(older);
        report(ref, "warning", "Conflicted", `${formatRef(older)} is older and has the say for ${host}`);
        continue;
      }
      const owner = owners.get(host);
      if (owner !== undefined && owner.namespace !== namespace) {
        const why = `host ${host} belongs to ${formatRef(owner)}; its rules of namespace ${namespace} are closed`;
        told.tell("HostNotOwned", why);
        closed.set(key, ref);
      } else if (ca === undefined) {
        closed.set(key, ref);
        closedHosts.set(host, ref);
      } else {
        const { mode = "required", forwardCertificate: certificate = false } = policy.spec;
        demands.set(host, { host, ca, mode, forward: { certificate }, source: ref });
        granted.push(host);
      }
    }
    describers.push((impossible) =>
      describeVerdict(ref, policy, judge(told.first, lostTo, granted, impossible)),
    );
  }
  return {
    demands: [...demands.values()].sort((a, b) => compareText(a.host, b.host)),
    closed: new Set(closed.keys()),
    closedHosts,
    closedHostless,
    describe: (impossible) => describers.map((describe) => describe(impossible)),
  };
}

/** What is wrong with one policy; the first thing is what its conditions say. */
class Findings {
  readonly #ref: ObjectRef;
  readonly #report: Report;
  first: Refusal | undefined;

  constructor(ref: ObjectRef, report: Report) {
    this.#ref = ref;
    this.#report = report;
  }

  tell(reason: string, message: string, field?: string): void {
    this.first ??= { reason, message };
    this.#report(this.#ref, "error", reason, message, field);
  }

  warn(reason: string, message: string, field: string): void {
    this.#report(this.#ref, "warning", reason, message, field);
  }
}

function judge(
  first: Refusal | undefined,
  lostTo: readonly ObjectRef[],
  granted: readonly string[],
  impossible: ReadonlyMap<string, Refusal>,
): Verdict {
  const failed = granted.flatMap((host) => impossible.get(host) ?? []);
  const [failure] = failed;
  const base = { lostTo, ...(first === undefined ? {} : { refusal: first }) };
  const why = first ?? failure;
  if (granted.length === failed.length)
    return { ...base, effect: "none", ...(why === undefined ? {} : { why }) };
  if (why === undefined && lostTo.length === 0) return { ...base, effect: "all" };
  return {
    ...base,
    effect: "some",
    why: why ?? { reason: "Conflicted", message: "an older one has the say" },
  };
}

/** The hosts that it is about, as far as they are there. */
function listHosts(
  { spec }: ClientCertificatePolicy,
  namespace: string,
  ingresses: readonly V1Ingress[],
  told: Findings,
): readonly string[] {
  const ours = ingresses.filter(({ metadata }) => metadata?.namespace === namespace);
  const hosts = new Set<string>();
  for (const [i, { name }] of (spec.targetRefs ?? []).entries()) {
    const ingress = ours.find(({ metadata }) => metadata?.name === name);
    const field = `spec.targetRefs[${i}].name`;
    if (ingress === undefined) {
      told.tell("TargetNotFound", `there is no Ingress ${namespace}/${name} of our class`, field);
      continue;
    }
    const named = listRuleHosts(ingress);
    if (named.length === 0) {
      told.tell(
        "TargetWithoutHost",
        `Ingress ${namespace}/${name} names no host, and without one no client certificate can be asked for`,
        field,
      );
    }
    for (const host of named) hosts.add(host);
  }
  for (const [i, host] of (spec.hosts ?? []).entries()) {
    if (ours.some((ingress) => listRuleHosts(ingress).includes(host))) hosts.add(host);
    else
      told.tell("HostNotFound", `no Ingress of namespace ${namespace} has host ${host}`, `spec.hosts[${i}]`);
  }
  return [...hosts].sort(compareText);
}

function listRuleHosts({ spec }: V1Ingress): readonly string[] {
  return (spec?.rules ?? []).map(({ host }) => host?.toLowerCase() ?? "").filter(isHost);
}

/** The oldest Ingress with a rule or a certificate for a host: its namespace alone has a say for the host as a whole. */
export function findHostOwners(ingresses: readonly V1Ingress[]): ReadonlyMap<string, ObjectRef> {
  const owners = new Map<string, ObjectRef>();
  for (const ingress of ingresses) {
    const tlsHosts = (ingress.spec?.tls ?? []).flatMap(({ hosts }) => hosts ?? []);
    for (const host of [...listRuleHosts(ingress), ...tlsHosts.map((name) => name.toLowerCase())]) {
      if (!owners.has(host)) owners.set(host, refOf("Ingress", ingress));
    }
  }
  return owners;
}

function readCa(
  { spec }: ClientCertificatePolicy,
  namespace: string,
  { secrets, configMaps }: Pick<Store, "configMaps" | "secrets">,
  now: Date,
  told: Findings,
): ClientCa | undefined {
  const kind = spec.ca.secret === undefined ? "ConfigMap" : "Secret";
  const field = kind === "Secret" ? "spec.ca.secret" : "spec.ca.configMap";
  const name = (spec.ca.secret ?? spec.ca.configMap)?.name ?? "";
  const key = keyOf({ namespace, name });
  const what = `${kind} ${key}`;
  const closed = "until that is changed the rules of these hosts answer 403";
  const found = kind === "Secret" ? decode(secrets.get(key)?.data) : configMaps.get(key)?.data;
  if (found === undefined) {
    told.tell("CaNotFound", `${what} does not exist (yet), or is empty; ${closed}`, `${field}.name`);
    return undefined;
  }
  const crt = found["ca.crt"];
  if (crt === undefined) {
    told.tell("CaNotUsable", `${what} has no ca.crt; ${closed}`, field);
    return undefined;
  }
  const read = readClientCa(crt, found["ca.crl"], now);
  if (!read.ok) {
    told.tell("CaNotUsable", `${read.field} of ${what} ${read.why}; ${closed}`, field);
    return undefined;
  }
  for (const warning of read.warnings) told.warn("CaWarning", `${what}: ${warning}`, field);
  return read.ca;
}

function decode(
  data: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (data === undefined) return undefined;
  const wanted = ["ca.crt", "ca.crl"].flatMap((key) => {
    const value = data[key];
    return value === undefined ? [] : [[key, Buffer.from(value, "base64").toString("latin1")] as const];
  });
  return Object.fromEntries(wanted);
}
