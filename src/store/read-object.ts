// SPDX-License-Identifier: Apache-2.0
import { checkValue } from "../crd/check.ts";
import { DEFINITIONS, isCustomKind } from "../crd/definitions.ts";
import { isDnsLabel, isDnsSubdomain } from "../model/names.ts";
import { quote } from "../model/quote.ts";
import { refOf } from "../model/refs.ts";
import type { ObjectRef, Severity } from "../model/types.ts";
import { isStoredKind, KINDS, type StoredKind } from "./kinds.ts";
import { refuseFile, type Sink, type StoredObject } from "./parse-manifests.ts";
import { checkShape, isObject, type ShapeFault } from "./shape.ts";

/** Takes one parsed document into the sink, or says why not. */
export function readObject(tree: Record<string, unknown>, sink: Sink): void {
  const { kind, apiVersion } = tree;
  if (typeof kind !== "string" || typeof apiVersion !== "string") {
    refuseFile(sink, "NotAnObject", "has a document without apiVersion and kind; it is left out");
    return;
  }
  if (!isStoredKind(kind) || isForeignGroup(apiVersion, kind)) {
    if (kind !== "Namespace") sink.notes.push(`${sink.file}: ${quote(kind)} is not used by Evener`);
    return;
  }
  const metadata = isObject(tree.metadata) ? tree.metadata : {};
  const nameFault = checkName(kind, metadata);
  if (nameFault !== undefined) {
    // There is no safe name to refer to, so the file answers for it.
    refuseFile(sink, "InvalidName", `has a ${kind} whose ${nameFault}; it is left out`);
    return;
  }
  tree.metadata = metadata;
  if (KINDS[kind].namespaced) metadata.namespace ??= "default";
  else delete metadata.namespace;
  const ref = refOf(kind, {
    metadata: {
      name: String(metadata.name),
      ...(metadata.namespace === undefined ? {} : { namespace: String(metadata.namespace) }),
    },
  });
  checkAndKeep(tree, kind, ref, sink);
}

/** Knative has a `Service` too: a kind of somebody else's API group is none of ours, whatever its name. */
function isForeignGroup(apiVersion: string, kind: StoredKind): boolean {
  const group = apiVersion.split("/")[0] ?? "";
  return group.includes(".") && group !== KINDS[kind].apiVersion.split("/")[0];
}

function checkAndKeep(tree: Record<string, unknown>, kind: StoredKind, ref: ObjectRef, sink: Sink): void {
  const say = (severity: Severity, reason: string, message: string, field?: string): void => {
    sink.problems.push({ ref, severity, reason, ...(field === undefined ? {} : { field }), message });
  };
  if (tree.apiVersion !== KINDS[kind].apiVersion) {
    const message = `apiVersion must be ${KINDS[kind].apiVersion}, not ${quote(tree.apiVersion)}; it is left out`;
    say("error", "WrongApiVersion", message, "apiVersion");
    return;
  }
  const faults: ShapeFault[] = [];
  checkShape(tree, KINDS[kind].shape, "", faults);
  for (const fault of faults) {
    if (fault.kind === "unknown") say("warning", "UnknownField", fault.message, fault.field);
    else say("error", "InvalidField", `${fault.message}; the object is left out`, fault.field);
  }
  if (faults.some((fault) => fault.kind !== "unknown")) return;

  if (isCustomKind(kind)) {
    const wrong = checkValue(tree.spec, DEFINITIONS[kind].spec, "spec");
    for (const { field, message } of wrong)
      say("error", "InvalidField", `${message}; the object is left out`, field);
    if (wrong.length > 0) return;
  }

  const metadata = tree.metadata as Record<string, unknown>;
  for (const field of ["creationTimestamp", "deletionTimestamp"]) {
    if (metadata[field] === undefined) continue;
    const time = new Date(String(metadata[field]));
    if (Number.isNaN(time.getTime())) {
      const message = `metadata.${field} is no time: ${quote(metadata[field])}; the object is left out`;
      say("error", "InvalidField", message, `metadata.${field}`);
      return;
    }
    metadata[field] = time;
  }
  if (kind === "Secret" && !joinSecretData(tree, say)) return;
  // The shape has been checked, field by field, against what the API defines for this kind.
  sink.objects.push({ kind, object: tree, file: sink.file } as unknown as StoredObject);
}

function checkName(kind: StoredKind, metadata: Record<string, unknown>): string | undefined {
  const { name, namespace } = metadata;
  const nameOk = kind === "Service" ? isDnsLabel : isDnsSubdomain;
  if (typeof name !== "string" || !nameOk(name)) return `name is not allowed: ${quote(name ?? "")}`;
  if (namespace === undefined || namespace === null || !KINDS[kind].namespaced) return undefined;
  if (typeof namespace !== "string" || !isDnsLabel(namespace)) {
    return `namespace is not allowed: ${quote(namespace)}`;
  }
  return undefined;
}

/** `stringData` overwrites `data`, as the API server does it; afterwards there is only `data`, in base64. */
function joinSecretData(
  tree: Record<string, unknown>,
  say: (severity: Severity, reason: string, message: string, field?: string) => void,
): boolean {
  const data = (tree.data ?? {}) as Record<string, string>;
  for (const [key, value] of Object.entries(data)) {
    if (!/^[A-Za-z0-9+/\s]*=?\s*=?\s*$/.test(value)) {
      // The value itself may be a key pasted without encoding: it is not shown.
      const message = `data[${quote(key)}] is not base64; the object is left out`;
      say("error", "InvalidField", message, `data[${quote(key)}]`);
      return false;
    }
  }
  for (const [key, value] of Object.entries((tree.stringData ?? {}) as Record<string, string>)) {
    data[key] = Buffer.from(value, "utf8").toString("base64");
  }
  delete tree.stringData;
  tree.data = data;
  return true;
}
