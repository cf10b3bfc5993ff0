// SPDX-License-Identifier: Apache-2.0
/**
 * With `--host-ownership=namespace` a host belongs wholly to the namespace of the oldest Ingress that names it, in a rule or in
 * spec.tls: nobody else adds a path to it, and nobody else's certificate is served for it. A wildcard is a name of its own,
 * as it is for certificates, and so is "every other host" of a rule without one.
 */
import type { V1Ingress, V1IngressRule, V1IngressTLS } from "@kubernetes/client-node";
import { isHost } from "./names.ts";
import type { Report } from "./problems.ts";
import { formatRef, refOf } from "./refs.ts";
import type { HostOwnership, ObjectRef } from "./types.ts";

/** The Ingresses without what they claim of others' hosts; each such claim is reported, with its winner. */
export function enforceHostOwnership(
  oldestFirst: readonly V1Ingress[],
  mode: HostOwnership,
  report: Report,
): readonly V1Ingress[] {
  if (mode === "path") return oldestFirst;
  const owners = findOwners(oldestFirst);
  return oldestFirst.map((ingress) => new Claimant(ingress, owners, report).keepOwn());
}

/** Whoever names it first. A name that is none belongs to nobody, and is reported elsewhere. */
function findOwners(oldestFirst: readonly V1Ingress[]): ReadonlyMap<string, ObjectRef> {
  const owners = new Map<string, ObjectRef>();
  for (const ingress of oldestFirst) {
    const ref = refOf("Ingress", ingress);
    for (const host of listHosts(ingress)) if (!owners.has(host)) owners.set(host, ref);
  }
  return owners;
}

function listHosts({ spec }: V1Ingress): readonly string[] {
  const ruleHosts = (spec?.rules ?? []).map((rule) => rule.host ?? "");
  const tlsHosts = (spec?.tls ?? []).flatMap((tls) => tls.hosts ?? []);
  return [...ruleHosts, ...tlsHosts].map(toKey).filter((host) => host === "" || isHost(host));
}

function toKey(host: string): string {
  return host.toLowerCase();
}

class Claimant {
  readonly #ingress: V1Ingress;
  readonly #ref: ObjectRef;
  readonly #owners: ReadonlyMap<string, ObjectRef>;
  readonly #report: Report;

  constructor(ingress: V1Ingress, owners: ReadonlyMap<string, ObjectRef>, report: Report) {
    this.#ingress = ingress;
    this.#ref = refOf("Ingress", ingress);
    this.#owners = owners;
    this.#report = report;
  }

  keepOwn(): V1Ingress {
    const { spec } = this.#ingress;
    if (spec === undefined || !listHosts(this.#ingress).some((host) => this.#isForeign(host)))
      return this.#ingress;
    const rules = spec.rules?.map((rule, i) => this.#keepRule(rule, `spec.rules[${i}]`));
    const tls = spec.tls?.map((entry, i) => this.#keepTls(entry, `spec.tls[${i}]`));
    const kept = {
      ...spec,
      ...(rules === undefined ? {} : { rules }),
      ...(tls === undefined ? {} : { tls }),
    };
    return { ...this.#ingress, spec: kept };
  }

  /** An empty rule claims nothing and keeps the numbers of the others. */
  #keepRule(rule: V1IngressRule, field: string): V1IngressRule {
    const host = toKey(rule.host ?? "");
    if (!this.#isForeign(host)) return rule;
    this.#refuse(host, "the rule is left out", `${field}.host`);
    return {};
  }

  #keepTls(entry: V1IngressTLS, field: string): V1IngressTLS {
    const { hosts } = entry;
    if (hosts === undefined || !hosts.some((host) => this.#isForeign(toKey(host)))) return entry;
    const own = hosts.filter((host, i) => {
      if (!this.#isForeign(toKey(host))) return true;
      this.#refuse(toKey(host), "no certificate is taken from here for it", `${field}.hosts[${i}]`);
      return false;
    });
    // Without hosts the entry would be for all of the rules; NO_TLS is for none.
    return own.length === 0 ? NO_TLS : { ...entry, hosts: own };
  }

  #isForeign(host: string): boolean {
    const owner = this.#owners.get(host);
    return owner !== undefined && owner.namespace !== this.#ref.namespace;
  }

  #refuse(host: string, consequence: string, field: string): void {
    const owner = this.#owners.get(host);
    const what = host === "" ? "every other host" : `host ${host}`;
    const winner =
      owner === undefined ? "another namespace" : `namespace ${owner.namespace}, by ${formatRef(owner)}`;
    const message = `${what} belongs to ${winner} (--host-ownership=namespace); ${consequence}`;
    this.#report(this.#ref, "error", "HostNotOwned", message, field);
  }
}

/** Stands for an entry of spec.tls of which nothing is left. */
export const NO_TLS: V1IngressTLS = Object.freeze({ hosts: Object.freeze([]) as unknown as string[] });
