// SPDX-License-Identifier: Apache-2.0
import type { KeyFiles } from "./certificates.ts";

export type UserAuth = KeyFiles | { readonly tokenFile: string };

/** JSON is YAML. */
export function makeKubeconfig(server: string, caFile: string, auth: UserAuth): unknown {
  const user = "tokenFile" in auth ? auth : { "client-certificate": auth.cert, "client-key": auth.key };
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "e2e", cluster: { server, "certificate-authority": caFile } }],
    users: [{ name: "e2e", user }],
    contexts: [{ name: "e2e", context: { cluster: "e2e", user: "e2e" } }],
    "current-context": "e2e",
  };
}
