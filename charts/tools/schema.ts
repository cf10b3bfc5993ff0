// SPDX-License-Identifier: Apache-2.0
/**
 * What each value may be; values.schema.json is made of it, with the comments of values.yaml as descriptions. Draft 7, since
 * Helm 3 before 3.18 knows nothing newer.
 */

export interface Schema {
  readonly [keyword: string]: unknown;
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
}

/** A map with exactly these keys, or fewer. */
const record = (properties: Record<string, Schema>, required?: readonly string[]): Schema => ({
  type: "object",
  additionalProperties: false,
  ...(required === undefined ? {} : { required }),
  properties,
});

const text: Schema = { type: "string" };
const line: Schema = { type: "string", pattern: "^[^\\r\\n]*$" };
const flag: Schema = { type: "boolean" };
const choice = (...values: readonly string[]): Schema => ({ type: "string", enum: values });
const integer = (minimum: number, maximum?: number): Schema => ({
  type: "integer",
  minimum,
  ...(maximum === undefined ? {} : { maximum }),
});
const orNull = (schema: Schema): Schema => ({ ...schema, type: [schema.type ?? [], "null"].flat() });
const list = (items: Schema): Schema => ({ type: "array", items });
/** A piece of a Kubernetes object: the API server checks it. */
const passed: Schema = { type: "object" };
/** A map whose keys the user chooses. (Helm gives `propertyNames` a wrong path when it complains, hence the pattern.) */
const keyed = (pattern: string, schema: Schema): Schema => ({
  type: "object",
  additionalProperties: false,
  patternProperties: { [pattern]: schema },
});
const strings: Schema = { type: "object", additionalProperties: text };
const scalar: Schema = { type: ["string", "number", "boolean"] };

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const matching = (pattern: string): Schema => ({ type: "string", pattern: `^${pattern}$` });
const orEmpty = (pattern: string): Schema => matching(`(${pattern})?`);
const label = matching(LABEL);
const subdomain = matching(SUBDOMAIN);
/** Services are named after these, and their names begin with a letter. */
const prefix = orEmpty("[a-z]([-a-z0-9]{0,61}[a-z0-9])?");
const port = integer(1, 65535);
const portOrNone = integer(0, 65535);
const nodePort = orNull(port);
const quantity: Schema = { type: ["string", "integer"], pattern: "^[0-9]+(\\.[0-9]+)?([EPTGMk]i?|m)?$" };
const duration = matching("([0-9]+(ms|s|m|h))+");
const amount: Schema = {
  type: ["integer", "string", "null"],
  minimum: 0,
  pattern: "^(100|[1-9]?[0-9])%$|^[0-9]+$",
};
const percentage = orNull(integer(1));
const cidr: Schema = { type: "string", pattern: "^[0-9A-Fa-f.:]+/[0-9]{1,3}$" };
const address: Schema = { type: "string", pattern: "^[0-9A-Za-z.:-]+$" };
const probe = record({
  initialDelaySeconds: integer(0),
  periodSeconds: integer(1),
  timeoutSeconds: integer(1),
  successThreshold: integer(1),
  failureThreshold: integer(1),
  terminationGracePeriodSeconds: integer(1),
});
const flagName = "^[a-z][a-z0-9-]*$";

export const VALUES_SCHEMA: Schema = {
  $schema: "http://json-schema.org/draft-07/schema#",
  title: "Values of the chart evener",
  ...record({
    // What Helm itself puts in when the chart is another one's dependency.
    global: { type: "object" },
    nameOverride: prefix,
    fullnameOverride: prefix,
    commonLabels: strings,
    controller: record({ kind: choice("Deployment", "DaemonSet") }),
    replicaCount: orNull(integer(0)),
    image: record({
      repository: matching("[a-z0-9][a-zA-Z0-9._:/-]*"),
      tag: orEmpty("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"),
      digest: orEmpty("sha256:[0-9a-f]{64}"),
      pullPolicy: choice("Always", "IfNotPresent", "Never"),
    }),
    imagePullSecrets: list(record({ name: subdomain }, ["name"])),
    ingressClassResource: record({
      enabled: flag,
      name: subdomain,
      default: flag,
      controllerValue: matching(`${SUBDOMAIN}/[A-Za-z0-9._/-]{1,200}`),
      annotations: strings,
      parameters: record({
        apiGroup: text,
        kind: text,
        name: text,
        namespace: text,
        scope: choice("Cluster", "Namespace"),
      }),
    }),
    watchIngressWithoutClass: flag,
    scope: record({ enabled: flag, namespace: orEmpty(LABEL), additionalNamespaces: list(label) }),
    defaultTLS: record({
      existingSecret: orEmpty(`(${LABEL}/)?${SUBDOMAIN}`),
      certificate: orEmpty("\\s*-----BEGIN [\\s\\S]+"),
      key: orEmpty("\\s*-----BEGIN [\\s\\S]+"),
    }),
    secrets: record({
      access: choice("tls", "named"),
      names: keyed(`^${LABEL}$`, { type: "array", minItems: 1, items: subdomain }),
    }),
    config: keyed(flagName, { type: ["string", "number", "boolean", "array"], items: scalar }),
    extraArgs: keyed(flagName, { type: ["string", "number", "boolean", "array", "null"], items: scalar }),
    extraEnvs: list(passed),
    zone: orEmpty("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"),
    electionID: orEmpty(SUBDOMAIN),
    publishService: record({ enabled: flag, pathOverride: orEmpty(`${LABEL}/${SUBDOMAIN}`) }),
    publishStatusAddresses: list(address),
    containerPort: record({ http: port, https: port, unprivilegedStart: integer(0, 65536) }),
    // Names of ports, RFC 6335 section 5.1, here beginning with a letter.
    tcp: keyed(
      "^[a-z]([a-z0-9-]{0,13}[a-z0-9])?$",
      record(
        {
          port,
          containerPort: port,
          nodePort: port,
          hostPort: port,
          service: { type: "string", pattern: "^[a-z0-9-]+/[a-z0-9-]+:[a-z0-9-]+$" },
          tls: flag,
          host: { type: "string", pattern: "^[a-z0-9*.-]*$" },
        },
        ["port"],
      ),
    ),
    service: record({
      enabled: flag,
      type: choice("LoadBalancer", "NodePort", "ClusterIP"),
      annotations: strings,
      labels: strings,
      ports: record({ http: portOrNone, https: portOrNone }),
      externalTrafficPolicy: choice("", "Cluster", "Local"),
      internalTrafficPolicy: choice("", "Cluster", "Local"),
      clusterIP: orEmpty("None|[0-9A-Fa-f.:]+"),
      externalIPs: list(matching("[0-9A-Fa-f.:]+")),
      loadBalancerClass: line,
      loadBalancerIP: orEmpty("[0-9A-Fa-f.:]+"),
      loadBalancerSourceRanges: list(cidr),
      allocateLoadBalancerNodePorts: orNull(flag),
      healthCheckNodePort: nodePort,
      nodePorts: record({ http: nodePort, https: nodePort }),
      ipFamilyPolicy: choice("", "SingleStack", "PreferDualStack", "RequireDualStack"),
      ipFamilies: { ...list(choice("IPv4", "IPv6")), maxItems: 2, uniqueItems: true },
    }),
    hostNetwork: flag,
    hostPort: record({ enabled: flag, ports: record({ http: portOrNone, https: portOrNone }) }),
    dnsPolicy: choice("", "ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"),
    networkPolicy: record({
      enabled: flag,
      from: list(passed),
      metricsFrom: list(passed),
      extraIngress: list(passed),
      egress: record({
        enabled: flag,
        apiServerPorts: { ...list(port), minItems: 1 },
        to: list(passed),
        extra: list(passed),
      }),
    }),
    resources: passed,
    annotations: strings,
    podAnnotations: strings,
    podLabels: strings,
    nodeSelector: strings,
    affinity: passed,
    tolerations: list(passed),
    topologySpreadConstraints: list(passed),
    priorityClassName: orEmpty(SUBDOMAIN),
    runtimeClassName: orEmpty(SUBDOMAIN),
    updateStrategy: passed,
    minReadySeconds: integer(0),
    revisionHistoryLimit: integer(0),
    terminationGracePeriodSeconds: integer(1),
    lifecycle: passed,
    podSecurityContext: passed,
    securityContext: passed,
    volumes: record({
      runSizeLimit: quantity,
      tmpSizeLimit: quantity,
      // The API server takes no less than ten minutes.
      tokenExpirationSeconds: integer(600),
    }),
    extraVolumes: list(passed),
    extraVolumeMounts: list(passed),
    probes: record({ liveness: probe, readiness: probe, startup: probe }),
    autoscaling: record({
      enabled: flag,
      minReplicas: integer(1),
      maxReplicas: integer(1),
      targetCPUUtilizationPercentage: percentage,
      targetMemoryUtilizationPercentage: percentage,
      metrics: list(passed),
      behavior: passed,
    }),
    podDisruptionBudget: record({ enabled: flag, minAvailable: amount, maxUnavailable: amount }),
    rbac: record({ create: flag, scope: choice("", "cluster", "namespace") }),
    serviceAccount: record({ create: flag, name: orEmpty(SUBDOMAIN), annotations: strings }),
    metrics: record({
      enabled: flag,
      port,
      service: record({ annotations: strings, labels: strings }),
      serviceMonitor: record({
        enabled: flag,
        namespace: orEmpty(LABEL),
        labels: strings,
        interval: duration,
        scrapeTimeout: duration,
        relabelings: list(passed),
        metricRelabelings: list(passed),
      }),
      prometheusRule: record({
        enabled: flag,
        namespace: orEmpty(LABEL),
        labels: strings,
        alertLabels: strings,
        disabled: list(text),
        additionalRules: list(passed),
      }),
      dashboard: record({
        enabled: flag,
        namespace: orEmpty(LABEL),
        labels: strings,
        annotations: strings,
      }),
    }),
  }),
};

/** Adds a description at each path. */
export function describe(
  schema: Schema,
  find: (path: string) => string | undefined,
  path: readonly string[] = [],
): Schema {
  const description = find(path.join("."));
  const { properties, ...rest } = schema;
  return {
    ...(description === undefined ? {} : { description }),
    ...rest,
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([key, child]) => [key, describe(child, find, [...path, key])]),
          ),
        }),
  };
}
