// SPDX-License-Identifier: Apache-2.0
/** The rules of all Ingresses, read one by one: who wants which host and path to lead where. */
import type { V1HTTPIngressPath, V1Ingress, V1IngressBackend, V1IngressRule } from "@kubernetes/client-node";
import { DEFAULT_OPTIONS, type IngressOptions } from "./annotations/options.ts";
import { readAnnotations } from "./annotations/read-annotations.ts";
import type { Backends } from "./backends.ts";
import { ANY_HOST, isHost } from "./names.ts";
import { isChallenge, type RulePath, readPath } from "./paths.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { refOf } from "./refs.ts";
import type { Lane, ObjectRef, PolicyLane } from "./types.ts";

export interface Claim extends RulePath {
  readonly ingress: V1Ingress;
  readonly ref: ObjectRef;
  readonly field: string;
  readonly host: string;
  readonly lane: Lane;
  /** Absent when every request is redirected. */
  readonly pool: string | undefined;
  readonly options: IngressOptions;
  /** Asked for over plain HTTP only, whatever the lane of its host. */
  readonly challenge: boolean;
}

export interface Fallback {
  readonly ingress: V1Ingress;
  readonly ref: ObjectRef;
  readonly field: string;
  readonly pool: string;
  readonly options: IngressOptions;
}

export interface Claims {
  /** Oldest Ingress first. */
  readonly paths: readonly Claim[];
  /** Default backends, oldest Ingress first. */
  readonly fallbacks: readonly Fallback[];
}

export function collectClaims(ingresses: readonly V1Ingress[], backends: Backends, report: Report): Claims {
  const paths: Claim[] = [];
  const fallbacks: Fallback[] = [];
  for (const ingress of ingresses) {
    const reader = new IngressReader(ingress, backends, report);
    const fallback = reader.readFallback();
    for (const [i, rule] of (ingress.spec?.rules ?? []).entries()) {
      paths.push(...reader.readRule(rule, `spec.rules[${i}]`, fallback));
    }
    if (fallback !== undefined && reader.mayFallBack(fallback)) fallbacks.push(fallback);
    reader.readRest();
  }
  return { paths, fallbacks };
}

class IngressReader {
  readonly #ingress: V1Ingress;
  readonly #ref: ObjectRef;
  /** What the annotations mean depends on the lane, and policies of Services may ask for one. */
  readonly #options = new Map<PolicyLane | undefined, IngressOptions>();
  readonly #backends: Backends;
  readonly #report: Report;

  constructor(ingress: V1Ingress, backends: Backends, report: Report) {
    this.#ingress = ingress;
    this.#ref = refOf("Ingress", ingress);
    this.#backends = backends;
    this.#report = report;
  }

  /** Also what a rule without paths leads to. */
  readFallback(): Fallback | undefined {
    const backend = this.#ingress.spec?.defaultBackend;
    if (backend === undefined) return undefined;
    const options = this.#readOptions(backend);
    if (options.fate === "refused") return undefined;
    const field = "spec.defaultBackend";
    const pool = this.#backends.resolve(backend, this.#ref, field, options.backend);
    return pool === undefined ? undefined : { ingress: this.#ingress, ref: this.#ref, field, pool, options };
  }

  /** In the TCP lane a default backend is for rules without paths only, which is no mistake. */
  mayFallBack({ options: { lane } }: Fallback): boolean {
    if (lane === "http") return true;
    if (lane === "port") return false;
    if ((this.#ingress.spec?.rules ?? []).length === 0) this.#refuseAnyHost("spec.defaultBackend");
    return false;
  }

  readRule(rule: V1IngressRule, field: string, fallback: Fallback | undefined): readonly Claim[] {
    const host = readHost(rule, this.#ref, `${field}.host`, this.#report);
    if (host === undefined) return [];
    const paths = rule.http?.paths ?? [];
    if (paths.length === 0) return this.#readWithoutPaths(host, field, fallback);
    return paths.flatMap((path, j) => this.#readPath(path, host, `${field}.http.paths[${j}]`) ?? []);
  }

  #readPath(path: V1HTTPIngressPath, host: string, field: string): Claim | undefined {
    const read = readPath(path, this.#ref, field, this.#report);
    if (read === undefined) return undefined;
    const challenge = isChallenge(read);
    // The solver's Service has nothing to do with what the annotations say about the user's own.
    const options = challenge ? this.#readForChallenge() : this.#readOptions(path.backend);
    if (options.fate === "refused") return undefined;
    const lane = challenge ? "http" : options.lane;
    if (lane !== "http" && lane !== "port" && host === ANY_HOST) {
      this.#refuseAnyHost(field);
      return undefined;
    }
    const base = { ...this.#base(host, field), ...read, lane, options, challenge };
    // Nobody is led to the backend, so it need not exist.
    if (options.redirect !== undefined) return { ...base, pool: undefined };
    const pool = this.#backends.resolve(path.backend, this.#ref, `${field}.backend`, options.backend);
    return pool === undefined ? undefined : { ...base, pool };
  }

  #readWithoutPaths(host: string, field: string, fallback: Fallback | undefined): readonly Claim[] {
    const options = fallback?.options ?? this.#readOptions(this.#ingress.spec?.defaultBackend);
    if ((host === ANY_HOST && options.lane !== "port") || options.fate === "refused") return [];
    if (fallback === undefined) {
      if (this.#ingress.spec?.defaultBackend === undefined) {
        const message = `the rule for host ${host} has neither paths nor a default backend`;
        this.#report(this.#ref, "warning", "RuleWithoutBackend", message, field);
      }
      return [];
    }
    const pool = options.redirect === undefined ? fallback.pool : undefined;
    const { lane } = options;
    return [{ ...this.#base(host, field), kind: "prefix", path: "/", pool, lane, options, challenge: false }];
  }

  /** So that what is wrong with the annotations is told even when nothing leads anywhere. */
  readRest(): void {
    if (this.#options.size === 0) this.#readOptions(undefined);
  }

  #readOptions(backend: V1IngressBackend | undefined): IngressOptions {
    const lane = backend === undefined ? undefined : this.#backends.laneOf(backend, this.#ref.namespace);
    const known = this.#options.get(lane);
    if (known !== undefined) return known;
    const options = readAnnotations(this.#ingress, this.#ref, this.#report, lane);
    this.#options.set(lane, options);
    return options;
  }

  #readForChallenge(): IngressOptions {
    return forChallenge(readAnnotations(this.#ingress, this.#ref, () => undefined));
  }

  #base(host: string, field: string) {
    return { ingress: this.#ingress, ref: this.#ref, host, field };
  }

  #refuseAnyHost(field: string): void {
    const message = "the TCP lane goes by server names, so what has no host can't be in it; it is left out";
    this.#report(this.#ref, "error", "LaneNotSupported", message, field);
  }
}

/** Only who may ask is kept. A refused Ingress's challenge is answered, a closed one's is not. */
function forChallenge({ allow, deny, fate }: IngressOptions): IngressOptions {
  return { ...DEFAULT_OPTIONS, allow, deny, fate: fate === "closed" ? "closed" : "served" };
}

/** The host in lower case, `*` for a rule without one, undefined when it is refused. */
function readHost(rule: V1IngressRule, ref: ObjectRef, field: string, report: Report): string | undefined {
  if (rule.host === undefined || rule.host === "") return ANY_HOST;
  const host = rule.host.toLowerCase();
  if (isHost(host)) return host;
  report(ref, "error", "HostNotAllowed", `${quote(rule.host)} is no DNS name; the rule is left out`, field);
  return undefined;
}
