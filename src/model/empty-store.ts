// SPDX-License-Identifier: Apache-2.0
import type { Store } from "./types.ts";

export const EMPTY_STORE: Store = Object.freeze({
  ingresses: new Map(),
  ingressClasses: new Map(),
  services: new Map(),
  endpointSlices: new Map(),
  secrets: new Map(),
  configMaps: new Map(),
  backendPolicies: new Map(),
  clientCertificatePolicies: new Map(),
  tlsProfiles: new Map(),
});
