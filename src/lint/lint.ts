// SPDX-License-Identifier: Apache-2.0
/** What Evener will do with each Ingress, and what it will not: the same model as `evener run`, seen from the objects. */
import type { V1Ingress, V1IngressClass } from "@kubernetes/client-node";
import { readAnnotations } from "../model/annotations/read-annotations.ts";
import { readBackendPolicies } from "../model/backend-policies.ts";
import { createBackends } from "../model/backends.ts";
import { buildModel } from "../model/build-model.ts";
import { type Claim, collectClaims } from "../model/claims.ts";
import { LEGACY_ANNOTATION, selectIngresses } from "../model/ingress-classes.ts";
import { nameTcpListener } from "../model/listeners.ts";
import type { Condition } from "../model/policy-status.ts";
import { sortProblems } from "../model/problems.ts";
import { compareText, formatRef, keyOf, refOf } from "../model/refs.ts";
import type {
  Certificate,
  Lane,
  ModelOutput,
  ModelSettings,
  ObjectRef,
  Problem,
  Rule,
  Severity,
  Store,
} from "../model/types.ts";
import { describeSettings } from "./describe-pool.ts";
import { describeOptions, describePath, isClosed } from "./describe-rule.ts";

export interface Finding {
  readonly severity: Severity;
  readonly reason: string;
  readonly field?: string;
  readonly message: string;
}

export interface LintedPath {
  readonly host: string;
  /** `= /exact` or `/prefix/*`. */
  readonly path: string;
  readonly lane: Lane;
  /** `namespace/service:port`; absent where every request is redirected. */
  readonly backend?: string;
  readonly served: boolean;
  /** What is done with requests. */
  readonly how: readonly string[];
}

/** `other-class`: it is nobody's business here. */
export type Verdict = "served" | "partly" | "closed" | "left-out" | "other-class";

export interface LintedIngress {
  readonly name: string;
  /** As the object says; empty when it says nothing. */
  readonly class: string;
  readonly verdict: Verdict;
  readonly paths: readonly LintedPath[];
  readonly tls: readonly { readonly host: string; readonly secret: string }[];
  readonly findings: readonly Finding[];
}

export interface LintReport {
  readonly ingresses: readonly LintedIngress[];
  readonly policies: readonly { readonly object: string; readonly conditions: readonly Condition[] }[];
  /** What is wrong with other objects. */
  readonly others: readonly (Finding & { readonly object: string })[];
  /** Kinds that are not part of the manifests; what is named of them is taken to be there. */
  readonly assumed: readonly string[];
  readonly errors: number;
  readonly warnings: number;
}

export interface LintInput {
  readonly store: Store;
  /** Found while the objects were read. */
  readonly problems: readonly Problem[];
  readonly settings: ModelSettings;
  readonly fallbackCertificate: Certificate;
  readonly now: Date;
  readonly assumed: readonly string[];
  readonly silent: ReadonlySet<string>;
}

export function lint(input: LintInput): LintReport {
  const store = adoptClass(input.store, input.settings);
  const model = buildModel({ ...input, store });
  const problems = sortProblems([...input.problems, ...model.problems]).filter(
    ({ reason }) => !input.silent.has(reason),
  );
  const ours = new Map(
    selectIngresses(store, input.settings).map((ingress) => [keyOf(refOf("Ingress", ingress)), ingress]),
  );
  const claims = groupClaims(store, [...ours.values()]);
  const ingresses = [...store.ingresses]
    .sort(([a], [b]) => compareText(a, b))
    .map(([key, ingress]) =>
      ours.has(key)
        ? lintIngress(ingress, claims.get(ingress) ?? [], model, problems)
        : describeForeign(ingress, key, input.settings),
    );
  // What another class's Ingress names may be as it likes.
  const others = problems.filter(({ ref }) => ref.kind !== "Ingress" || !store.ingresses.has(keyOf(ref)));
  return {
    ingresses,
    policies: model.policies.map(({ ref, conditions }) => ({ object: formatRef(ref), conditions })),
    others: others.map((problem) => ({ object: formatRef(problem.ref), ...toFinding(problem) })),
    assumed: input.assumed,
    errors: problems.filter(({ severity }) => severity === "error").length,
    warnings: problems.filter(({ severity }) => severity === "warning").length,
  };
}

/** The class that was named on the command line is ours, whoever's it is now: that is what lint is asked for. */
function adoptClass(store: Store, { ingressClass, controllerClass }: ModelSettings): Store {
  const found = store.ingressClasses.get(ingressClass);
  if (found === undefined && store.ingressClasses.size === 0) return store;
  const adopted: V1IngressClass = {
    ...(found ?? { metadata: { name: ingressClass } }),
    spec: { ...found?.spec, controller: controllerClass },
  };
  return { ...store, ingressClasses: new Map([...store.ingressClasses, [ingressClass, adopted]]) };
}

function groupClaims(
  store: Store,
  ingresses: readonly V1Ingress[],
): ReadonlyMap<V1Ingress, readonly Claim[]> {
  const silent = () => undefined;
  const { paths, fallbacks } = collectClaims(
    ingresses,
    createBackends(store.services, readBackendPolicies(store, silent), silent),
    silent,
  );
  const groups = new Map<V1Ingress, Claim[]>();
  for (const claim of paths) groups.set(claim.ingress, [...(groups.get(claim.ingress) ?? []), claim]);
  for (const fallback of fallbacks) {
    const claim: Claim = {
      ...fallback,
      host: "*",
      kind: "prefix",
      path: "/",
      lane: "http",
      challenge: false,
    };
    const known = groups.get(fallback.ingress) ?? [];
    // A rule for every host says the same.
    if (!known.some(({ host, path }) => host === "*" && path === "/"))
      groups.set(fallback.ingress, [...known, claim]);
  }
  return groups;
}

function lintIngress(
  ingress: V1Ingress,
  claims: readonly Claim[],
  model: ModelOutput,
  problems: readonly Problem[],
): LintedIngress {
  const ref = refOf("Ingress", ingress);
  const name = keyOf(ref);
  const paths = claims.map((claim) => lintClaim(claim, model));
  const findings = problems.filter((problem) => isSame(problem.ref, ref)).map(toFinding);
  return {
    name,
    class: readClass(ingress),
    verdict: judge(ingress, ref, paths, findings),
    paths,
    tls: listTls(ingress, model),
    findings,
  };
}

function judge(
  ingress: V1Ingress,
  ref: ObjectRef,
  paths: readonly LintedPath[],
  findings: readonly Finding[],
): Verdict {
  if (readAnnotations(ingress, ref, () => undefined).fate === "closed") return "closed";
  if (!paths.some(({ served }) => served)) return "left-out";
  const isWhole =
    paths.every(({ served }) => served) && findings.every(({ severity }) => severity !== "error");
  return isWhole ? "served" : "partly";
}

function lintClaim(claim: Claim, { ir }: ModelOutput): LintedPath {
  const { host, lane, pool } = claim;
  const backend = pool === undefined ? undefined : ir.balance.pools.find(({ name }) => name === pool);
  // What stands behind the port in a pool's name is said in words.
  const target = pool?.split("/").slice(0, 2).join("/");
  const base = {
    host,
    path: describePath(claim),
    lane,
    ...(target === undefined ? {} : { backend: target }),
  };
  const settings = backend === undefined ? [] : describeSettings(backend.settings, lane);
  if (lane !== "http") {
    const { tcpPort } = claim.options;
    const served = ir.balance.routes.some(
      (route) =>
        route.pool === pool &&
        (tcpPort === undefined
          ? route.host === host && route.port === undefined
          : route.port === tcpPort || route.listener === nameTcpListener(tcpPort)),
    );
    return { ...base, served, how: served ? [RELAYED[lane], ...settings] : [] };
  }
  const rule = findRule(claim, ir.balance.tables[0]?.rules ?? []);
  const fallback = ir.balance.tables[0]?.fallback;
  if (rule === undefined && host === "*" && fallback?.pool === pool && fallback !== undefined) {
    return {
      ...base,
      served: true,
      how: ["what no rule matches", ...describeOptions(fallback.options), ...settings],
    };
  }
  const served = rule !== undefined && rule.pool === pool;
  if (!served) return { ...base, served, how: [] };
  const { appRoot } = claim.options;
  const root = appRoot === undefined || claim.path !== "/" ? [] : [`exactly / gets 302 to ${appRoot}`];
  const how = [...describeOptions(rule.options), ...root, ...settings];
  return isClosed(rule.options)
    ? { ...base, served: false, how: describeOptions(rule.options) }
    : { ...base, served, how };
}

const RELAYED: Readonly<Record<Exclude<Lane, "http">, string>> = {
  tcp: "connections are relayed, after TLS",
  passthrough: "connections are relayed, before TLS",
  port: "all connections to the port are relayed",
};

function findRule({ host, kind, path }: Claim, rules: readonly Rule[]): Rule | undefined {
  return rules.find((rule) => rule.host === host && rule.kind === kind && rule.path === path);
}

function listTls({ spec }: V1Ingress, { ir }: ModelOutput): LintedIngress["tls"] {
  const hosts = (spec?.tls ?? []).flatMap(
    ({ hosts }) => hosts ?? (spec?.rules ?? []).map(({ host }) => host ?? ""),
  );
  const certificates = new Map(
    [...ir.hitch.certificates, ir.hitch.defaultCertificate].map((one) => [one.id, one.source]),
  );
  return [...new Set(hosts.map((host) => host.toLowerCase()))].flatMap((host) => {
    const served = ir.hitch.served?.find((one) => one.host === host);
    if (served === undefined) return [];
    const source = certificates.get(served.certificate);
    return [{ host, secret: source === undefined ? "(default certificate)" : keyOf(source) }];
  });
}

function describeForeign(ingress: V1Ingress, name: string, { ingressClass }: ModelSettings): LintedIngress {
  const own = readClass(ingress);
  const what = own === "" ? "no class is named, and none is the default" : `class ${own} is another's`;
  const message = `${what}; to see what Evener would do: --ingress-class ${own === "" ? `${ingressClass} --watch-ingress-without-class` : own}`;
  const finding: Finding = { severity: "warning", reason: "ClassMismatch", message };
  return { name, class: own, verdict: "other-class", paths: [], tls: [], findings: [finding] };
}

function readClass({ spec, metadata }: V1Ingress): string {
  return spec?.ingressClassName ?? metadata?.annotations?.[LEGACY_ANNOTATION] ?? "";
}

function toFinding({ severity, reason, field, message }: Problem): Finding {
  return { severity, reason, ...(field === undefined ? {} : { field }), message };
}

function isSame(a: ObjectRef, b: ObjectRef): boolean {
  return a.kind === b.kind && keyOf(a) === keyOf(b);
}
