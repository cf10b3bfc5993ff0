// SPDX-License-Identifier: Apache-2.0
/** Sizes, times and how much at a time. */
import { annotation } from "./spec.ts";
import { parseInteger, parseSeconds, parseSize } from "./values.ts";

const COUNT = "whole number from 0 to 1000000";
const parseCount = parseInteger(0, 1_000_000);

export const LIMITS = {
  maxBody: annotation({
    name: "proxy-body-size",
    nginx: true,
    type: "bytes, or a number with k, m or g",
    doc: "larger requests get 413; 0 means no limit, which is also the default",
    onFault: "ignore",
    parse: parseSize,
  }),
  connectTimeout: annotation({
    name: "proxy-connect-timeout",
    nginx: true,
    scope: "backend",
    type: "seconds from 1 to 3600",
    doc: "how long connecting to one endpoint may take (default 5)",
    onFault: "ignore",
    parse: parseSeconds(1, 3600),
  }),
  responseTimeout: annotation({
    name: "proxy-read-timeout",
    nginx: true,
    scope: "backend",
    type: "seconds from 1 to 86400",
    doc: "how long a pod may be silent while it is to answer (default 60)",
    onFault: "ignore",
    parse: parseSeconds(1, 86_400),
  }),
  idleTimeout: annotation({
    name: "idle-timeout",
    nginx: false,
    scope: "backend",
    type: "seconds from 0 to 604800",
    doc: "TCP lane: a connection that is silent for so long is closed; 0 means never (default 3600)",
    onFault: "ignore",
    parse: parseSeconds(0, 604_800),
  }),
  maxConnections: annotation({
    name: "maxconn",
    nginx: false,
    scope: "backend",
    type: COUNT,
    doc: "connections at a time to the Service, in the HTTP lane requests; what is more waits (`queue`) or is refused; 0 means no limit",
    onFault: "ignore",
    parse: parseCount,
  }),
  maxConnectionsPerEndpoint: annotation({
    name: "maxconn-server",
    nginx: false,
    scope: "backend",
    type: COUNT,
    doc: "connections at a time to one endpoint; 0 means no limit",
    onFault: "ignore",
    parse: parseCount,
  }),
  maxConnectionsPerClient: annotation({
    name: "maxconn-client",
    nginx: false,
    scope: "backend",
    type: COUNT,
    doc: "connections at a time from one client address to the Service, in the HTTP lane requests; 0 means no limit",
    onFault: "ignore",
    parse: parseCount,
  }),
  queue: annotation({
    name: "queue",
    nginx: false,
    scope: "backend",
    type: COUNT,
    doc: "how many may wait while `maxconn` or every `maxconn-server` is reached; 0, the default, refuses at once",
    onFault: "ignore",
    parse: parseCount,
  }),
  queueTimeout: annotation({
    name: "queue-timeout",
    alias: "timeout-queue",
    nginx: false,
    scope: "backend",
    type: "seconds from 1 to 3600",
    doc: "how long they wait before they get 503, in the TCP lane a closed connection (default 5)",
    onFault: "ignore",
    parse: parseSeconds(1, 3600),
  }),
};
