// SPDX-License-Identifier: Apache-2.0
/** What a BackendPolicy may say about Services of its namespace. Nothing has a default in the schema: what is absent is left to others. */
import type { SendProxy, Strategy } from "../model/backend-settings.ts";
import type { PolicyLane } from "../model/types.ts";
import { PLAIN_HOST, PORT, PORT_NAME, SERVICE_NAME, URL_PATH } from "./forms.ts";
import { fields, flag, integer, integerOrText, list, text, type ValueOf, word } from "./schema.ts";

export const STRATEGIES = [
  "round-robin",
  "least-connections",
  "power-of-two",
  "source-hash",
  "first",
] as const satisfies readonly Strategy[];

export const SEND_PROXY = ["none", "v1", "v2", "v2-ssl"] as const satisfies readonly SendProxy[];

export const POLICY_LANES = ["http", "tcp"] as const satisfies readonly PolicyLane[];

const SECONDS = { min: 1, max: 3600 };
const DAY = { min: 1, max: 86_400 };
const MILLION = { min: 0, max: 1_000_000 };

const targetRef = fields(
  {
    group: word([""], { doc: "API group, which is empty for Services." }),
    kind: word(["Service"], { doc: "Always Service." }),
    name: text(SERVICE_NAME, { doc: "Name of a Service of the same namespace." }),
    sectionName: text(PORT_NAME, { doc: "Name of a port of the Service.", absent: "all its ports" }),
    port: integerOrText(PORT, PORT_NAME, {
      doc: "Number or name of a port of the Service.",
      absent: "all its ports",
    }),
  },
  {
    doc: "A Service, or one port of it.",
    required: ["name"],
    rules: [
      {
        rule: "!has(self.sectionName) || !has(self.port)",
        message: "sectionName and port both name the port; only one of them may be given",
      },
    ],
  },
);

const loadBalancing = fields(
  {
    strategy: word(STRATEGIES, {
      doc: "Which endpoint gets the next connection (TCP lane) or request (HTTP lane).",
      absent: "the annotation load-balance, else round-robin",
    }),
    slowStartSeconds: integer(
      { min: 0, max: 3600 },
      {
        doc: "How long an endpoint that is new takes to get its whole share; 0 switches it off.",
        absent: "0",
      },
    ),
    preferZone: flag({
      doc: "Endpoints in the zone of the proxy come before others.",
      absent: "all zones are the same",
    }),
  },
  { doc: "How connections are spread over the endpoints." },
);

const timeouts = fields(
  {
    connectSeconds: integer(SECONDS, { doc: "For connecting to one endpoint.", absent: "5" }),
    responseSeconds: integer(DAY, {
      doc: "HTTP lane: how long a pod may be silent while it is to answer.",
      absent: "60",
    }),
    idleSeconds: integer(DAY, {
      doc: "TCP lane: how long a connection may be without a byte in either direction.",
      absent: "3600",
    }),
  },
  { doc: "How long is waited for what." },
);

const limits = fields(
  {
    connections: integer(MILLION, {
      doc: "At a time, for all endpoints together; in the HTTP lane requests are counted. 0 means no limit.",
      absent: "0",
    }),
    connectionsPerEndpoint: integer(MILLION, {
      doc: "At a time, for each endpoint. 0 means no limit.",
      absent: "0",
    }),
    connectionsPerClient: integer(MILLION, {
      doc: "At a time, for each address of a client. 0 means no limit.",
      absent: "0",
    }),
    queue: integer(MILLION, {
      doc: "How many may wait while everything is full. 0 means that nobody waits.",
      absent: "0",
    }),
    queueSeconds: integer(SECONDS, { doc: "How long they wait at most.", absent: "5" }),
  },
  {
    doc: "How much at a time.",
    rules: [
      {
        rule: "!has(self.queueSeconds) || (has(self.queue) && self.queue > 0)",
        message: "queueSeconds needs a queue: give queue as well",
      },
    ],
  },
);

const ejection = fields(
  {
    failures: integer(
      { min: 0, max: 1000 },
      {
        doc: "Failed connects in a row after which an endpoint is left out for a while; 0: never.",
        absent: "3",
      },
    ),
    baseSeconds: integer(SECONDS, {
      doc: "For how long, the first time; longer each time in a row.",
      absent: "2",
    }),
    maxSeconds: integer(SECONDS, { doc: "For how long at most.", absent: "60" }),
  },
  {
    doc: "When an endpoint that can't be reached is left out.",
    rules: [
      {
        rule: "!has(self.baseSeconds) || !has(self.maxSeconds) || self.baseSeconds <= self.maxSeconds",
        message: "baseSeconds must not be greater than maxSeconds",
      },
    ],
  },
);

const CHECKS = ["none", "tcp", "http"] as const;
const COUNT = { min: 1, max: 100 };

const healthCheck = fields(
  {
    type: word(CHECKS, {
      doc: "What is done to each endpoint: nothing, a connection, or a GET request that has to be answered with 2xx or 3xx.",
    }),
    path: text(URL_PATH, { doc: "What is asked for with type http.", absent: "/" }),
    host: text(PLAIN_HOST, {
      doc: "Host field of the request with type http.",
      absent: "the endpoint's address",
    }),
    intervalSeconds: integer(SECONDS, { doc: "Time between two checks.", absent: "5" }),
    timeoutSeconds: integer(SECONDS, { doc: "How long one check may take.", absent: "2" }),
    rise: integer(COUNT, { doc: "Good answers in a row that bring an endpoint back.", absent: "2" }),
    fall: integer(COUNT, { doc: "Bad answers in a row that take it out.", absent: "3" }),
  },
  {
    doc: "Checks that don't wait for a client.",
    required: ["type"],
    rules: [
      {
        rule: "self.type == 'http' || (!has(self.path) && !has(self.host))",
        message: "path and host are for type http",
      },
      {
        rule: "!has(self.timeoutSeconds) || !has(self.intervalSeconds) || self.timeoutSeconds <= self.intervalSeconds",
        message: "timeoutSeconds must not be greater than intervalSeconds",
      },
    ],
  },
);

const backup = fields(
  {
    service: text(SERVICE_NAME, { doc: "Name of a Service of the same namespace." }),
    port: integerOrText(PORT, PORT_NAME, { doc: "Number or name of its port." }),
  },
  { doc: "A Service that steps in.", required: ["service", "port"] },
);

export const BACKEND_POLICY = fields(
  {
    targetRefs: list(targetRef, {
      doc: "The Services that it is about.",
      min: 1,
      max: 16,
      rules: [
        {
          rule: "self.all(a, self.exists_one(b, a.name == b.name && (has(a.sectionName) ? (has(b.sectionName) && a.sectionName == b.sectionName) : (!has(b.sectionName) && has(a.port) == has(b.port) && (!has(a.port) || string(a.port) == string(b.port))))))",
          message: "the same Service and port must not be named twice",
        },
      ],
    }),
    lane: word(POLICY_LANES, {
      doc: "tcp: the connections of the hosts that lead to the Service are relayed as they are, after TLS; what their Ingresses say about requests has no effect. http: requests are read.",
      absent: "the annotation lane of the Ingress, else http",
    }),
    loadBalancing,
    timeouts,
    limits,
    proxyProtocol: word(SEND_PROXY, {
      doc: "PROXY header that the pods get; v2-ssl tells them about TLS as well.",
      absent: "the annotation proxy-protocol, else none",
    }),
    ejection,
    healthCheck,
    backups: list(backup, {
      doc: "Services that are used, in this order, when no endpoint can be reached.",
      max: 4,
    }),
  },
  {
    doc: "What is wanted. TLS to the pods is not part of it: pods are spoken to without TLS.",
    required: ["targetRefs"],
  },
);

export type BackendPolicySpec = ValueOf<typeof BACKEND_POLICY>;
