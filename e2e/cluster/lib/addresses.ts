// SPDX-License-Identifier: Apache-2.0
/**
 * Who is who. Addresses for documentation and private ones, in namespaces that have a route to nothing else. The test's own
 * namespace is the outside: a client of two addresses, one cable away from the node.
 */
export const NODE_NAME = "node";
export const NODE_ADDRESS = "198.51.100.1";
export const CLIENT_ADDRESSES = ["198.51.100.10", "198.51.100.11"] as const;
export const LINK_PREFIX = 24;
/** What a load balancer in front would have; the client's network leads it to the node. */
export const LB_ADDRESS = "203.0.113.20";
export const POD_NETWORK = "10.244.0.0/24";
export const SERVICE_NETWORK = "10.96.0.0/16";
/** The first of the service network is the API server's. */
export const API_SERVICE_ADDRESS = "10.96.0.1";
/** Nobody is there: nothing in these tests asks for a name. */
export const DNS_ADDRESS = "10.96.0.10";
export const API_PORT = 6443;
export const API_URL = `https://${NODE_ADDRESS}:${API_PORT}`;
