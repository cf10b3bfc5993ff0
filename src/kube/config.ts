// SPDX-License-Identifier: Apache-2.0
/** Where the API server is and who we are: --kubeconfig, else in-cluster, else what kubectl would use. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { KubeConfig, type User } from "@kubernetes/client-node";
import { parse } from "yaml";

const IN_CLUSTER_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token";

export class KubeConfigError extends Error {
  readonly code = "EVENER_KUBECONFIG";
}

export function loadKubeConfig(file?: string): KubeConfig {
  const config = new KubeConfig();
  try {
    if (file !== undefined) loadFile(config, file);
    else if (existsSync(IN_CLUSTER_TOKEN)) config.loadFromCluster();
    else config.loadFromDefault();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new KubeConfigError(`the kubeconfig can't be used: ${why}`, { cause });
  }
  const server = config.getCurrentCluster()?.server;
  if (server === undefined) throw new KubeConfigError("the kubeconfig names no current cluster");
  if (!/^https?:\/\//.test(server)) throw new KubeConfigError("the cluster's server is no http(s) URL");
  return config;
}

/** The library knows no `tokenFile` in a kubeconfig; here such a user becomes what it makes of a service account. */
function loadFile(config: KubeConfig, file: string): void {
  const text = readFileSync(file, "utf8");
  config.loadFromFile(file);
  const raw = parse(text) as { users?: { name?: string; user?: { tokenFile?: string } }[] } | null;
  const files = new Map((raw?.users ?? []).map(({ name, user }) => [name, user?.tokenFile]));
  config.users = config.users.map((user): User => {
    const tokenFile = files.get(user.name);
    if (tokenFile === undefined || user.token !== undefined) return user;
    const path = resolve(dirname(file), tokenFile);
    return { ...user, authProvider: { name: "tokenFile", config: { tokenFile: path } } };
  });
}

/** The file with the current user's token, where it has one. */
export function findTokenFile(config: KubeConfig): string | undefined {
  const provider = config.getCurrentUser()?.authProvider as { config?: { tokenFile?: unknown } } | undefined;
  const file = provider?.config?.tokenFile;
  return typeof file === "string" ? file : undefined;
}
