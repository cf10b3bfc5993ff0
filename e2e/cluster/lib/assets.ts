// SPDX-License-Identifier: Apache-2.0
/** Where the node's programs and images are; `make e2e-cluster` has built them before. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";

export const ROOT = join(import.meta.dirname, "../../..");
const PROGRAMS = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
] as const;

export type KubeProgram = (typeof PROGRAMS)[number];

/** A function that gives a program's path. */
export async function findPrograms(): Promise<(name: KubeProgram) => string> {
  const { stdout } = await execa(join(ROOT, "e2e/assets/build.sh"), [...PROGRAMS], { stderr: "inherit" });
  return (name) => join(stdout.trim(), name);
}

/** The one that belongs to the cluster's version, for readers of documents. */
export async function findKubectl(): Promise<string> {
  const { stdout } = await execa(join(ROOT, "e2e/assets/build.sh"), ["kubectl"], { stderr: "inherit" });
  return join(stdout.trim(), "kubectl");
}

export interface EvenerImage {
  readonly archive: string;
  readonly repository: string;
  readonly tag: string;
}

/** What `make image` has left, or EVENER_IMAGE_ARCHIVE. */
export async function findEvenerImage(): Promise<EvenerImage> {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  const archive = process.env.EVENER_IMAGE_ARCHIVE ?? join(ROOT, `dist/image/evener-${arch}.tar`);
  if (!existsSync(archive)) throw new Error(`there is no image (make image): ${archive}`);
  const { stdout } = await execa("tar", ["-xOf", archive, "index.json"]);
  const index = JSON.parse(stdout) as { manifests: { annotations?: Record<string, string> }[] };
  const name = index.manifests[0]?.annotations?.["org.opencontainers.image.ref.name"] ?? "";
  const [, repository, tag] = /^(.+):([^:]+)$/.exec(name) ?? [];
  if (repository === undefined || tag === undefined) throw new Error(`${archive} names no image: ${name}`);
  return { archive, repository, tag };
}

/** Why these tests can't run here; false when they can. */
export function whyNot(): string | false {
  if (process.env.EVENER_TEST_CLUSTER !== "1") return "make e2e-cluster";
  if (process.getuid?.() !== 0) return "a node needs root";
  // The node is one cable away from here, and neither shall have a way to anything else.
  const routes = readFileSync("/proc/self/net/route", "utf8").trim().split("\n").slice(1);
  return routes.length > 0 ? "make e2e-cluster makes a network without routes" : false;
}
