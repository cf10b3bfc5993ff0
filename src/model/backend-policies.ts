// SPDX-License-Identifier: Apache-2.0
/**
 * BackendPolicies → what they say about the pools of Services. One that names a port is about that port, and has the say there before one
 * that is about all ports; of two about the same the older has it, whole.
 */
import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import type { BackendPolicySpec } from "../crd/backend-policy.ts";
import type { BackendPolicy } from "../crd/resource.ts";
import { toPolicyLayer } from "./policy-layer.ts";
import { describeVerdict, type PolicyStatus, type Verdict } from "./policy-status.ts";
import type { Saying } from "./pool-settings.ts";
import type { Report } from "./problems.ts";
import { quote } from "./quote.ts";
import { formatRef, keyOf, refOf, sortByAge } from "./refs.ts";
import { checkService, findPort, portKey } from "./service-ports.ts";
import type { ObjectRef, Store } from "./types.ts";

type TargetRef = BackendPolicySpec["targetRefs"][number];
type Fault = NonNullable<Verdict["refusal"]>;

export interface BackendPolicies {
  /** None says anything about any Service. */
  readonly isEmpty: boolean;
  /** What a policy says about the pools of a Service port. */
  readonly find: (service: V1Service, port: V1ServicePort | undefined) => Saying | undefined;
  /** `listUsed` lists the Service ports that something leads to, as `portKey` names them. */
  readonly describe: (listUsed: () => ReadonlySet<string>) => readonly PolicyStatus[];
}

interface Judged {
  readonly policy: BackendPolicy;
  readonly saying: Saying;
  readonly fault: Fault | undefined;
  /** What it has the say for: `namespace/service:port`, or `namespace/service` for all ports. */
  readonly granted: readonly string[];
  readonly lostTo: readonly ObjectRef[];
}

export function readBackendPolicies(
  { backendPolicies, services }: Pick<Store, "backendPolicies" | "services">,
  report: Report,
): BackendPolicies {
  const owners = new Map<string, Saying>();
  const judged = sortByAge([...backendPolicies.values()]).map((policy) =>
    judge(policy, services, owners, report),
  );
  const find: BackendPolicies["find"] = (service, port) => {
    const name = keyOf(refOf("Service", service));
    return (port === undefined ? undefined : owners.get(portKey(service, port))) ?? owners.get(name);
  };
  return {
    isEmpty: owners.size === 0,
    find,
    describe: (listUsed) => {
      if (judged.length === 0) return [];
      const ports = groupPorts(listUsed());
      return judged.map((one) => describe(one, countInEffect(one, ports, owners)));
    },
  };
}

/** Takes what nobody older has. */
function judge(
  policy: BackendPolicy,
  services: Store["services"],
  owners: Map<string, Saying>,
  report: Report,
): Judged {
  const ref = refOf("BackendPolicy", policy);
  let fault: Fault | undefined;
  const tell = (reason: string, message: string, field: string) => {
    fault ??= { reason, message };
    report(ref, "error", reason, message, field);
  };
  const { lane } = policy.spec;
  const saying: Saying = {
    ref,
    layer: toPolicyLayer(policy.spec, tell),
    ...(lane === undefined ? {} : { lane }),
  };
  const namespace = ref.namespace ?? "";
  for (const [i, { service: name, port: wanted }] of (policy.spec.backups ?? []).entries()) {
    const service = services.get(`${namespace}/${name}`);
    const port = service === undefined ? undefined : findPort(service, wanted);
    const wrong = checkService(service, port, `${namespace}/${name}`, wanted, "this backup is left out");
    if (wrong !== undefined) tell(wrong.reason, wrong.message, `spec.backups[${i}]`);
  }
  const granted: string[] = [];
  const lostTo: ObjectRef[] = [];
  for (const [i, target] of policy.spec.targetRefs.entries()) {
    const field = `spec.targetRefs[${i}]`;
    const key = findTarget(target, namespace, services, field, tell);
    if (key === undefined) continue;
    const older = owners.get(key);
    if (older === undefined) {
      owners.set(key, saying);
      granted.push(key);
    } else if (older !== saying) {
      lostTo.push(older.ref);
      const message = `${formatRef(older.ref)} is older and has the say for ${key}`;
      report(ref, "warning", "Conflicted", message, field);
    }
  }
  return { policy, saying, fault, granted, lostTo };
}

/** `namespace/service`, with `:port` when it is about one; the port by number, whichever way it is named. */
function findTarget(
  { name, sectionName, port: number }: TargetRef,
  namespace: string,
  services: Store["services"],
  field: string,
  tell: (reason: string, message: string, field: string) => void,
): string | undefined {
  const key = `${namespace}/${name}`;
  const service = services.get(key);
  if (service === undefined) {
    tell("TargetNotFound", `Service ${key} does not exist (yet)`, `${field}.name`);
    return undefined;
  }
  const wanted = sectionName ?? number;
  if (wanted === undefined) return key;
  const port = findPort(service, wanted);
  if (port !== undefined) return portKey(service, port);
  const where = sectionName === undefined ? "port" : "sectionName";
  tell("TargetNotFound", `Service ${key} has no TCP port ${quote(wanted)}`, `${field}.${where}`);
  return undefined;
}

interface Effect {
  readonly used: number;
  readonly unused: number;
}

/** Ports in use by what a policy may be about: by themselves, and by their Service. */
function groupPorts(used: ReadonlySet<string>): ReadonlyMap<string, readonly string[]> {
  const ports = new Map<string, string[]>();
  for (const key of used) {
    const service = key.slice(0, key.lastIndexOf(":"));
    ports.set(key, [key]);
    const others = ports.get(service);
    if (others === undefined) ports.set(service, [key]);
    else others.push(key);
  }
  return ports;
}

/** How many of its targets something leads to, other than by a port that another policy is about. */
function countInEffect(
  { granted, saying }: Judged,
  ports: ReadonlyMap<string, readonly string[]>,
  owners: ReadonlyMap<string, Saying>,
): Effect {
  const isOurs = (port: string) => (owners.get(port) ?? saying) === saying;
  const used = granted.filter((key) => ports.get(key)?.some(isOurs) ?? false).length;
  return { used, unused: granted.length - used };
}

function describe({ policy, saying, fault, lostTo }: Judged, { used, unused }: Effect): PolicyStatus {
  const base = { lostTo, ...(fault === undefined ? {} : { refusal: fault }) };
  const verdict = (): Verdict => {
    if (used === 0) return { ...base, effect: "none" };
    if (fault !== undefined) return { ...base, effect: "some", why: fault };
    if (lostTo.length > 0) {
      return { ...base, effect: "some", why: { reason: "Conflicted", message: "an older one has the say" } };
    }
    if (unused === 0) return { ...base, effect: "all" };
    return {
      ...base,
      effect: "some",
      why: { reason: "NotUsed", message: "nothing leads to some of its targets" },
    };
  };
  return describeVerdict(saying.ref, policy, verdict());
}
