// SPDX-License-Identifier: Apache-2.0
/** What is kept of an object: as much as anything in Evener looks at. The objects' shape has been checked before. */
import type {
  V1ConfigMap,
  V1Endpoint,
  V1EndpointConditions,
  V1EndpointSlice,
  V1Ingress,
  V1IngressClass,
  V1IngressLoadBalancerIngress,
  V1ObjectMeta,
  V1Secret,
  V1Service,
} from "@kubernetes/client-node";
import type { CustomObject, StoredCondition } from "../../crd/resource.ts";
import { isObject } from "../../store/shape.ts";
import type { Interner } from "./interner.ts";

/** Ours, and those of others that are read or warned about. Deployment tools' own are the greater part of many objects. */
const ANNOTATION =
  /^(?:(?:[a-z0-9.-]+\.)?evener\.io|(?:nginx\.)?ingress\.kubernetes\.io|ingressclass\.kubernetes\.io|haproxy-ingress\.github\.io|acme\.cert-manager\.io)\/|^kubernetes\.io\/ingress\.class$/;
const SERVICE_LABEL = "kubernetes.io/service-name";
/** Of a Secret's data: the certificate, its key, the authority for client certificates. */
const SECRET_KEYS = ["tls.crt", "tls.key", "ca.crt", "ca.crl"];
/** Of a ConfigMap's. */
const CONFIG_MAP_KEYS = ["ca.crt", "ca.crl"];

export function trimIngress(ingress: V1Ingress, interner: Interner): V1Ingress {
  const { spec, status } = ingress;
  const addresses = readAddresses(status);
  return {
    metadata: trimMetadata(ingress.metadata, interner),
    ...(spec === undefined ? {} : { spec: interner.shareAll(spec) }),
    ...(addresses.length === 0 ? {} : { status: { loadBalancer: { ingress: [...addresses] } } }),
  };
}

export function trimIngressClass({ metadata, spec }: V1IngressClass, interner: Interner): V1IngressClass {
  return {
    metadata: trimMetadata(metadata, interner),
    ...(spec === undefined ? {} : { spec }),
  };
}

export function trimConfigMap({ metadata, data }: V1ConfigMap, interner: Interner): V1ConfigMap {
  const kept = Object.entries(data ?? {}).filter(([key]) => CONFIG_MAP_KEYS.includes(key));
  return { metadata: trimMetadata(metadata, interner), data: Object.fromEntries(kept) };
}

/** With the generation that its conditions are about. */
export function trimCustom<Spec>(object: CustomObject<Spec>, interner: Interner): CustomObject<Spec> {
  const { metadata, spec, status } = object;
  const conditions = readConditions(status);
  return {
    metadata: {
      ...trimMetadata(metadata, interner),
      ...(metadata?.generation === undefined ? {} : { generation: metadata.generation }),
    },
    spec,
    ...(conditions.length === 0 ? {} : { status: { conditions } }),
  };
}

export function trimService(service: V1Service, interner: Interner): V1Service {
  const { type, clusterIP, clusterIPs, externalIPs, externalName, ports, trafficDistribution } =
    service.spec ?? {};
  const wanted = { type, clusterIP, clusterIPs, externalIPs, externalName, ports, trafficDistribution };
  const spec = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== undefined));
  const addresses = readAddresses(service.status);
  return {
    metadata: trimMetadata(service.metadata, interner),
    spec: interner.shareAll(spec),
    ...(addresses.length === 0 ? {} : { status: { loadBalancer: { ingress: [...addresses] } } }),
  };
}

export function trimEndpointSlice(slice: V1EndpointSlice, interner: Interner): V1EndpointSlice {
  const service = slice.metadata?.labels?.[SERVICE_LABEL];
  return {
    metadata: {
      ...trimMetadata(slice.metadata, interner),
      ...(service === undefined ? {} : { labels: { [SERVICE_LABEL]: interner.share(service) } }),
    },
    addressType: interner.share(slice.addressType),
    ...(slice.ports === undefined ? {} : { ports: interner.shareAll(slice.ports) }),
    endpoints: (slice.endpoints ?? []).map((endpoint) => trimEndpoint(endpoint, interner)),
  };
}

export function trimSecret({ metadata, type, data }: V1Secret, interner: Interner): V1Secret {
  const kept = Object.entries(data ?? {}).filter(([key]) => SECRET_KEYS.includes(key));
  return {
    metadata: trimMetadata(metadata, interner),
    ...(type === undefined ? {} : { type: interner.share(type) }),
    data: Object.fromEntries(kept),
  };
}

function trimEndpoint({ addresses, conditions, zone, hints }: V1Endpoint, interner: Interner): V1Endpoint {
  const forZones = hints?.forZones;
  return {
    addresses,
    ...(conditions === undefined ? {} : { conditions: shareConditions(conditions) }),
    ...(zone === undefined ? {} : { zone: interner.share(zone) }),
    ...(forZones === undefined ? {} : { hints: interner.shareAll({ forZones }) }),
  };
}

/** There are only so many combinations. */
const CONDITIONS = new Map<string, V1EndpointConditions>();

function shareConditions({ ready, serving, terminating }: V1EndpointConditions): V1EndpointConditions {
  const key = `${ready} ${serving} ${terminating}`;
  const known = CONDITIONS.get(key);
  if (known !== undefined) return known;
  const given = Object.entries({ ready, serving, terminating }).filter(([, value]) => value !== undefined);
  const conditions: V1EndpointConditions = Object.freeze(Object.fromEntries(given));
  CONDITIONS.set(key, conditions);
  return conditions;
}

function trimMetadata(metadata: V1ObjectMeta | undefined, interner: Interner): V1ObjectMeta {
  const { name, namespace, uid, resourceVersion, creationTimestamp, annotations } = metadata ?? {};
  const kept = Object.entries(annotations ?? {}).filter(([key]) => ANNOTATION.test(key));
  return {
    ...(name === undefined ? {} : { name: interner.share(name) }),
    ...(namespace === undefined ? {} : { namespace: interner.share(namespace) }),
    ...(uid === undefined ? {} : { uid }),
    ...(resourceVersion === undefined ? {} : { resourceVersion }),
    // In JSON it is text, whatever the type says.
    ...(creationTimestamp === undefined ? {} : { creationTimestamp: new Date(creationTimestamp) }),
    ...(kept.length === 0 ? {} : { annotations: Object.fromEntries(kept) }),
  };
}

/** A status has no checked shape; what is no condition of ours is as good as absent. */
function readConditions(status: unknown): readonly StoredCondition[] {
  const list: readonly unknown[] =
    isObject(status) && Array.isArray(status.conditions) ? status.conditions : [];
  return list.filter(
    (item): item is Record<string, unknown> & StoredCondition =>
      isObject(item) && typeof item.type === "string" && typeof item.status === "string",
  );
}

function readAddresses(status: unknown): readonly V1IngressLoadBalancerIngress[] {
  const balancer = isObject(status) && isObject(status.loadBalancer) ? status.loadBalancer : {};
  const list: readonly unknown[] = Array.isArray(balancer.ingress) ? balancer.ingress : [];
  return list.filter(isObject).map(({ ip, hostname }) => ({
    ...(typeof ip === "string" ? { ip } : {}),
    ...(typeof hostname === "string" ? { hostname } : {}),
  }));
}
