// SPDX-License-Identifier: Apache-2.0
/** What the annotations of a Service say about its pools, whichever Ingress leads there. */
import type { V1Service } from "@kubernetes/client-node";
import type { SettingsLayer } from "../backend-settings.ts";
import type { Report } from "../problems.ts";
import { quote } from "../quote.ts";
import type { ObjectRef } from "../types.ts";
import { NOTHING_SAID, toBackendLayer } from "./backend-layer.ts";
import { fieldOf, findValues, OURS, type Tell } from "./find-values.ts";

/** Only names of our own: ingress-nginx has never read annotations of Services. */
export function readServiceAnnotations(service: V1Service, ref: ObjectRef, report: Report): SettingsLayer {
  const annotations = service.metadata?.annotations;
  if (annotations === undefined) return NOTHING_SAID;
  const names = Object.keys(annotations).filter((name) => name.startsWith(OURS));
  if (names.length === 0) return NOTHING_SAID;
  const tell: Tell = (name, _effect, reason, message) =>
    report(ref, "warning", reason, `${message}; it has no effect`, fieldOf(name));
  const { values, nameOf } = findValues(annotations, names, {
    ref,
    report,
    tell,
    belongs: ({ spec }) => spec.scope === "backend",
    tellOther: (name, _text, known) =>
      known === undefined
        ? tell(name, "ignore", "AnnotationUnknown", `no annotation of a Service is named ${quote(name)}`)
        : tell(name, "ignore", "AnnotationNotSupported", `${name} is read on Ingresses only`),
  });
  return toBackendLayer(values, (key, message) =>
    tell(nameOf(key), "ignore", "AnnotationIgnored", `${nameOf(key)} ${message}`),
  );
}
