// SPDX-License-Identifier: Apache-2.0
import type { KubeConfig } from "@kubernetes/client-node";
import type { RunSettings } from "../cli/settings.ts";
import { VERSION } from "../cli/version.ts";
import type { Clock } from "../clock.ts";
import { HttpTransport } from "../kube/http-transport.ts";
import type { Logger } from "../report/log.ts";
import { createDirSource } from "./dir/dir-source.ts";
import { createKubeSource } from "./kube/kube-source.ts";
import type { Source } from "./source.ts";

/** The source that --source names. `config` is there when it is the cluster. */
export function openSource(
  settings: RunSettings,
  config: KubeConfig | undefined,
  clock: Clock,
  log: Logger,
): Source {
  const { source, model, secrets, publishService } = settings;
  if (source.kind === "dir") return createDirSource({ path: source.path, clock });
  if (config === undefined) throw new Error("a cluster as the source needs a kubeconfig");
  return createKubeSource({
    transport: new HttpTransport(config, `evener/${VERSION} source`),
    clock,
    random: Math.random,
    log,
    settings: { model, secrets, ...(publishService === undefined ? {} : { publishService }) },
  });
}
