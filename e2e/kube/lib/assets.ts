// SPDX-License-Identifier: Apache-2.0
/** The programs of a control plane; `make e2e-assets` builds them. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export interface Assets {
  readonly apiServer: string;
  readonly etcd: string;
}

export function findAssets(): Assets {
  const script = join(import.meta.dirname, "../../assets/build.sh");
  const dir = execFileSync(script, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
  return { apiServer: join(dir, "kube-apiserver"), etcd: "etcd" };
}
