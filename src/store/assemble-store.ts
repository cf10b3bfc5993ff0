// SPDX-License-Identifier: Apache-2.0
/** Parsed files → one store. The result does not depend on the order of files or documents. */
import { compareText, keyOf, refOf } from "../model/refs.ts";
import type { Problem, Store } from "../model/types.ts";
import type { ParsedManifests, StoredObject } from "./parse-manifests.ts";

export interface AssembledStore {
  readonly store: Store;
  readonly problems: readonly Problem[];
}

export function assembleStore(files: readonly ParsedManifests[]): AssembledStore {
  const problems: Problem[] = files.flatMap((file) => file.problems);
  const groups = new Map<string, StoredObject[]>();
  for (const stored of files.flatMap((file) => file.objects)) {
    const key = `${stored.kind} ${keyOf(refOf(stored.kind, stored.object))}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [stored]);
    else group.push(stored);
  }

  const store = {
    ingresses: new Map(),
    ingressClasses: new Map(),
    services: new Map(),
    endpointSlices: new Map(),
    secrets: new Map(),
    configMaps: new Map(),
    backendPolicies: new Map(),
    clientCertificatePolicies: new Map(),
    tlsProfiles: new Map(),
  } satisfies { [K in keyof Store]: Map<string, unknown> };
  const maps = {
    Ingress: store.ingresses,
    IngressClass: store.ingressClasses,
    Service: store.services,
    EndpointSlice: store.endpointSlices,
    Secret: store.secrets,
    ConfigMap: store.configMaps,
    BackendPolicy: store.backendPolicies,
    ClientCertificatePolicy: store.clientCertificatePolicies,
    TLSProfile: store.tlsProfiles,
  };
  for (const group of groups.values()) {
    const stored = pickOne(group, problems);
    maps[stored.kind].set(keyOf(refOf(stored.kind, stored.object)), stored.object);
  }
  return { store, problems };
}

/** Of several objects with one name the one with the smallest text is kept: any order gives the same. */
function pickOne(group: readonly StoredObject[], problems: Problem[]): StoredObject {
  const [first] = group;
  if (first === undefined) throw new Error("a group has at least one object");
  if (group.length === 1) return first;
  const sorted = group
    .map((stored) => ({ stored, text: canonicalJson(stored.object) }))
    .sort((a, b) => compareText(a.text, b.text) || compareText(a.stored.file, b.stored.file));
  const files = [...new Set(group.map((stored) => stored.file))].sort(compareText).join(" and ");
  const kept = sorted[0]?.stored ?? first;
  problems.push({
    ref: refOf(first.kind, first.object),
    severity: "error",
    reason: "DuplicateObject",
    message: `is defined ${group.length} times, in ${files}; the definition kept is from ${kept.file}`,
  });
  return kept;
}

/** JSON with sorted keys. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => compareText(a, b)))
      : item,
  );
}
