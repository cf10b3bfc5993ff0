// SPDX-License-Identifier: Apache-2.0
/** Which Ingresses are ours. Whatever belongs to another class is not looked at, nor reported on. */
import type { V1Ingress, V1IngressClass } from "@kubernetes/client-node";
import { sortByAge } from "./refs.ts";
import type { ModelSettings, Store } from "./types.ts";

export const LEGACY_ANNOTATION = "kubernetes.io/ingress.class";
const DEFAULT_ANNOTATION = "ingressclass.kubernetes.io/is-default-class";

/** Our Ingresses, oldest first. */
export function selectIngresses(store: Store, settings: ModelSettings): readonly V1Ingress[] {
  const withoutClassIsOurs = settings.watchIngressWithoutClass || isDefaultOurs(store, settings);
  const namespaces = new Set(settings.watchNamespaces);
  const ours = [...store.ingresses.values()]
    .filter((ingress) => namespaces.size === 0 || namespaces.has(ingress.metadata?.namespace ?? ""))
    .filter((ingress) => {
      const name = ingress.spec?.ingressClassName ?? ingress.metadata?.annotations?.[LEGACY_ANNOTATION];
      return name === undefined ? withoutClassIsOurs : isClassOurs(name, store, settings);
    });
  return sortByAge(ours);
}

/**
 * A class is ours when its IngressClass names our controller. Where there is no IngressClass at all (a plain
 * directory of manifests) the configured class name is enough.
 */
function isClassOurs(name: string, store: Store, settings: ModelSettings): boolean {
  const found = store.ingressClasses.get(name);
  if (found !== undefined) return isOurClass(found, settings);
  return store.ingressClasses.size === 0 && name === settings.ingressClass;
}

/** Kubernetes refuses Ingresses without a class while two classes are the default; so do we when one is not ours. */
function isDefaultOurs(store: Store, settings: ModelSettings): boolean {
  const defaults = [...store.ingressClasses.values()].filter(
    (ingressClass) => ingressClass.metadata?.annotations?.[DEFAULT_ANNOTATION] === "true",
  );
  return defaults.length > 0 && defaults.every((ingressClass) => isOurClass(ingressClass, settings));
}

export function isOurClass(ingressClass: V1IngressClass, settings: ModelSettings): boolean {
  return ingressClass.spec?.controller === settings.controllerClass;
}
