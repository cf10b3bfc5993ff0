// SPDX-License-Identifier: Apache-2.0
/** Text of manifests → objects of the kinds we know, each checked against its shape. */
import type {
  V1ConfigMap,
  V1EndpointSlice,
  V1Ingress,
  V1IngressClass,
  V1Secret,
  V1Service,
} from "@kubernetes/client-node";
import { LineCounter, parseAllDocuments } from "yaml";
import type { BackendPolicy, ClientCertificatePolicy, TlsProfile } from "../crd/resource.ts";
import { fileRef } from "../model/refs.ts";
import type { Problem } from "../model/types.ts";
import { readObject } from "./read-object.ts";
import { isObject } from "./shape.ts";
import { splitDocuments } from "./split-documents.ts";

export const MAX_FILE_BYTES = 16 * 1024 * 1024;
export const MAX_DOCUMENTS = 50_000;
const MAX_ALIASES = 100;

export type StoredObject =
  | { readonly kind: "Ingress"; readonly object: V1Ingress; readonly file: string }
  | { readonly kind: "IngressClass"; readonly object: V1IngressClass; readonly file: string }
  | { readonly kind: "Service"; readonly object: V1Service; readonly file: string }
  | { readonly kind: "EndpointSlice"; readonly object: V1EndpointSlice; readonly file: string }
  | { readonly kind: "Secret"; readonly object: V1Secret; readonly file: string }
  | { readonly kind: "ConfigMap"; readonly object: V1ConfigMap; readonly file: string }
  | { readonly kind: "BackendPolicy"; readonly object: BackendPolicy; readonly file: string }
  | {
      readonly kind: "ClientCertificatePolicy";
      readonly object: ClientCertificatePolicy;
      readonly file: string;
    }
  | { readonly kind: "TLSProfile"; readonly object: TlsProfile; readonly file: string };

export interface ParsedManifests {
  readonly objects: readonly StoredObject[];
  readonly problems: readonly Problem[];
  /** What was passed over on purpose (Deployments and the like), for the debug log. */
  readonly notes: readonly string[];
}

/** What reading one document or list item may add to. */
export interface Sink {
  readonly file: string;
  readonly objects: StoredObject[];
  readonly problems: Problem[];
  readonly notes: string[];
}

/** Parses one file. Never throws: whatever is wrong with the text becomes a problem, the rest is kept. */
export function parseManifests(text: string, fileName: string): ParsedManifests {
  const sink: Sink = { file: fileName, objects: [], problems: [], notes: [] };
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    refuseFile(sink, "FileTooLarge", `is larger than ${MAX_FILE_BYTES} bytes and was not read`);
    return sink;
  }
  const json = parseJson(text);
  if (json !== undefined) {
    readTree(json, sink);
    return sink;
  }
  const documents = splitDocuments(text);
  if (documents.length > MAX_DOCUMENTS) {
    refuseFile(sink, "TooManyDocuments", `has more than ${MAX_DOCUMENTS} documents and was not read`);
    return sink;
  }
  for (const document of documents) readYaml(document.text, document.line, sink);
  return sink;
}

function parseJson(text: string): unknown {
  if (!/^\s*[{[]/.test(text)) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // It may still be YAML in flow style; the YAML parser names the line of what is wrong.
  }
}

function readYaml(text: string, firstLine: number, sink: Sink): void {
  const lineCounter = new LineCounter();
  const parsed = parseAllDocuments(text, {
    lineCounter,
    merge: true,
    prettyErrors: false,
    logLevel: "silent",
  });
  for (const document of parsed) {
    const error = document.errors[0];
    if (error !== undefined) {
      // What is never closed is noticed after the last line; that is where to look then.
      const last = text.trimEnd().split("\n").length;
      const line = firstLine + Math.min(Math.max(lineCounter.linePos(error.pos[0]).line, 1), last) - 1;
      const reason = error.message.split("\n")[0] ?? "";
      refuseFile(sink, "BrokenYaml", `line ${line}: ${reason}; this document is left out`);
      continue;
    }
    try {
      readTree(document.toJS({ maxAliasCount: MAX_ALIASES }), sink);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      refuseFile(sink, "BrokenYaml", `line ${firstLine}: ${why}; this document is left out`);
    }
  }
}

/** One document: an object, a `List` of objects, or nothing. */
function readTree(tree: unknown, sink: Sink): void {
  if (tree === null || tree === undefined) return;
  if (!isObject(tree)) {
    refuseFile(sink, "NotAnObject", "has a document that is no Kubernetes object");
    return;
  }
  const { kind, items } = tree;
  if (typeof kind === "string" && kind.endsWith("List") && Array.isArray(items)) {
    for (const item of items) readTree(inheritKind(item, kind, tree.apiVersion), sink);
    return;
  }
  readObject(tree, sink);
}

/** Items of an `IngressList`, as the API returns it, carry no kind of their own. */
function inheritKind(item: unknown, listKind: string, apiVersion: unknown): unknown {
  if (!isObject(item) || listKind === "List" || item.kind !== undefined) return item;
  return { apiVersion, ...item, kind: listKind.slice(0, -"List".length) };
}

export function refuseFile(sink: Sink, reason: string, what: string): void {
  sink.problems.push({
    ref: fileRef(sink.file),
    severity: "error",
    reason,
    message: `${sink.file} ${what}`,
  });
}
