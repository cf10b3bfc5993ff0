// SPDX-License-Identifier: Apache-2.0
/** BackendPolicies → what they say about which port of which Service. */
import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import type { BackendPolicySpec } from "../crd/backend-policy.ts";
import type { SettingsLayer } from "./backend-settings.ts";
import { describeVerdict, type PolicyStatus, type Refusal, type Verdict } from "./policy-status.ts";
import type { Report } from "./problems.ts";
import { formatRef, refOf, sortByAge } from "./refs.ts";
import type { ObjectRef, Store } from "./types.ts";

/** What one policy says, and where in it the backups stand. */
export interface PolicySaying {
  readonly ref: ObjectRef;
  readonly layer: SettingsLayer;
  readonly backupsField: string;
}

export interface BackendPolicies {
  /** A policy about the port comes before one about the Service. */
  readonly find: (service: V1Service, port: V1ServicePort) => PolicySaying | undefined;
  /** What becomes of them; `used` are the ports (`namespace/service:port`) that something leads to. */
  readonly describe: (used: ReadonlySet<string>) => readonly PolicyStatus[];
}

type Target = BackendPolicySpec["targetRefs"][number];

export function readBackendPolicies(
  { backendPolicies, services }: Pick<Store, "backendPolicies" | "services">,
  report: Report,
): BackendPolicies {
  const sayings = new Map<string, PolicySaying>();
  const describers: ((used: ReadonlySet<string>) => PolicyStatus)[] = [];
  for (const policy of sortByAge([...backendPolicies.values()])) {
    const ref = refOf("BackendPolicy", policy);
    const saying: PolicySaying = { ref, layer: toLayer(policy.spec), backupsField: "spec.backups" };
    const granted: string[] = [];
    const lostTo: ObjectRef[] = [];
    let refusal: Refusal | undefined;
    for (const [i, target] of policy.spec.targetRefs.entries()) {
      const field = `spec.targetRefs[${i}]`;
      const found = findTarget(target, ref.namespace ?? "", services);
      if (typeof found === "string") {
        refusal ??= { reason: "TargetNotFound", message: found };
        report(ref, "warning", "TargetNotFound", found, field);
        continue;
      }
      const older = sayings.get(found.key)?.ref;
      if (older === undefined) {
        sayings.set(found.key, saying);
        granted.push(found.key);
      } else if (older !== ref) {
        lostTo.push(older);
        const message = `${formatRef(older)} is older and has the say for ${found.key}`;
        report(ref, "warning", "Conflicted", message, field);
      }
    }
    const verdict = { lostTo, ...(refusal === undefined ? {} : { refusal }) };
    describers.push((used) => describeVerdict(ref, policy, judge(verdict, granted, used)));
  }
  return {
    find: (service, port) => {
      const { namespace = "", name = "" } = service.metadata ?? {};
      return sayings.get(`${namespace}/${name}:${port.port}`) ?? sayings.get(`${namespace}/${name}`);
    },
    describe: (used) => describers.map((describe) => describe(used)),
  };
}

/** The key of a Service (`namespace/service`) or of one of its ports (`…:port`), or why there is none. */
function findTarget(
  { name, port: byPort, sectionName }: Target,
  namespace: string,
  services: Store["services"],
): { readonly key: string } | string {
  const key = `${namespace}/${name}`;
  const service = services.get(key);
  if (service === undefined) return `Service ${key} does not exist (yet)`;
  const wanted = sectionName ?? byPort;
  if (wanted === undefined) return { key };
  const port = service.spec?.ports?.find((one) =>
    typeof wanted === "number" ? one.port === wanted : one.name === wanted,
  );
  return port === undefined ? `Service ${key} has no port ${wanted}` : { key: `${key}:${port.port}` };
}

function judge(
  verdict: Pick<Verdict, "lostTo" | "refusal">,
  granted: readonly string[],
  used: ReadonlySet<string>,
): Verdict {
  const isUsed = granted.some((key) => used.has(key) || [...used].some((one) => one.startsWith(`${key}:`)));
  if (!isUsed) {
    const message = "no Ingress of ours leads to what it is about";
    const why = verdict.refusal ?? { reason: "NotUsed", message };
    return {
      ...verdict,
      effect: "none",
      ...(granted.length > 0 || verdict.lostTo.length === 0 ? { why } : {}),
    };
  }
  const isWhole = verdict.refusal === undefined && verdict.lostTo.length === 0;
  return { ...verdict, effect: isWhole ? "all" : "some" };
}

function toLayer({ loadBalancing, timeouts, limits, ...spec }: BackendPolicySpec): SettingsLayer {
  const { proxyProtocol, ejection, healthCheck, backups } = spec;
  const said = {
    strategy: loadBalancing?.strategy,
    slowStartSeconds: loadBalancing?.slowStartSeconds,
    preferZone: loadBalancing?.preferZone,
    connectSeconds: timeouts?.connectSeconds,
    responseSeconds: timeouts?.responseSeconds,
    idleSeconds: timeouts?.idleSeconds,
    maxConnections: limits?.connections,
    maxConnectionsPerEndpoint: limits?.connectionsPerEndpoint,
    maxConnectionsPerClient: limits?.connectionsPerClient,
    queue: limits?.queue,
    queueSeconds: limits?.queueSeconds,
    sendProxy: proxyProtocol,
    ejection,
    backups,
  };
  const given = Object.entries(said).filter(([, value]) => value !== undefined);
  // Each value is of the type of its own field.
  const layer = Object.fromEntries(given) as SettingsLayer;
  return healthCheck === undefined ? layer : { ...layer, ...toCheck(healthCheck) };
}

/** With type none `check` is there and undefined, which switches checks off. */
function toCheck({
  type,
  path,
  host,
  ...timing
}: NonNullable<BackendPolicySpec["healthCheck"]>): SettingsLayer {
  const checkTiming = Object.keys(timing).length === 0 ? {} : { checkTiming: timing };
  switch (type) {
    case "none":
      return { check: undefined, ...checkTiming };
    case "tcp":
      return { check: { kind: "tcp" }, ...checkTiming };
    case "http":
      return {
        check: { kind: "http", path: path ?? "/", ...(host === undefined ? {} : { host }) },
        ...checkTiming,
      };
  }
}
