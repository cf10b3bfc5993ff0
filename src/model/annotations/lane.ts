// SPDX-License-Identifier: Apache-2.0
/** How Balance speaks with clients and pods. */
import { annotation } from "./spec.ts";
import { accept, parseBoolean, parseInteger, parseWord, refuse } from "./values.ts";

export const PLAIN_PODS = "is not supported: pods are spoken to in HTTP/1.1 without TLS";

export const LANE = {
  lane: annotation({
    name: "lane",
    nginx: false,
    type: "http or tcp",
    doc: "`tcp` relays the connections of the hosts as they are, after TLS: one Service port for a whole host; the `lane` of a BackendPolicy for the Service comes before this",
    onFault: "refuse",
    parse: parseWord("http", "tcp"),
  }),
  sslPassthrough: annotation({
    name: "ssl-passthrough",
    nginx: true,
    type: "true or false",
    doc: "connections for the hosts are relayed before TLS, which is the pods' own; needs --enable-ssl-passthrough (default false)",
    onFault: "refuse",
    parse: parseBoolean,
  }),
  tcpServicePort: annotation({
    name: "tcp-service-port",
    nginx: false,
    type: "port number",
    doc: "all connections to this port are relayed to the one backend; with spec.tls after TLS, by server name; needs --tcp-ports",
    onFault: "refuse",
    parse: parseInteger(1, 65_535),
  }),
  proxyProtocol: annotation({
    name: "proxy-protocol",
    nginx: false,
    scope: "backend",
    type: "v1, v2, v2-ssl or none",
    doc: "begin connections to the pods with a PROXY header that has the client's address; `v2-ssl` adds what is known of its TLS (default none)",
    onFault: "ignore",
    parse: parseWord("v1", "v2", "v2-ssl", "none"),
  }),
  backendProtocol: annotation<"http" | "grpc" | "tls">({
    name: "backend-protocol",
    nginx: true,
    type: "HTTP; in the TCP lane also GRPC; with ssl-passthrough also HTTPS and GRPCS",
    doc: "what the pods speak",
    onFault: "refuse",
    parse: (text) => {
      const word = text.toLowerCase();
      if (word === "http" || word === "grpc") return accept(word);
      if (word === "https" || word === "grpcs") return accept("tls");
      return refuse(PLAIN_PODS, "BackendProtocolNotSupported");
    },
  }),
};
