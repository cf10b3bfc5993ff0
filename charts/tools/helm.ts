// SPDX-License-Identifier: Apache-2.0
/** Renders the chart with the pinned helm. */
import { join } from "node:path";
import { execa } from "execa";
import { parseAllDocuments } from "yaml";

export const CHART_DIR = join(import.meta.dirname, "../evener");
/** The version before, as `helm package` made it: what upgrades are tried from. */
export const PREVIOUS_CHART = join(import.meta.dirname, "../test/previous/evener-0.1.0.tgz");
const BUILD_HELM = join(import.meta.dirname, "../../e2e/tools/helm/build.sh");

export type Values = Readonly<Record<string, unknown>>;

export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface RenderOptions {
  readonly release?: string;
  readonly namespace?: string;
  /** The version of Kubernetes that templates see. */
  readonly kubeVersion?: string;
}

export interface HelmResult {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

let helmPath: Promise<string> | undefined;

/** Builds helm at the first call of all, which takes minutes; then it is in the cache. */
export function findHelm(): Promise<string> {
  helmPath ??= execa(BUILD_HELM, { stderr: "inherit" }).then(({ stdout }) => stdout.trim());
  return helmPath;
}

export async function runHelm(args: readonly string[], input = ""): Promise<HelmResult> {
  const { failed, stdout, stderr } = await execa(await findHelm(), [...args], { input, reject: false });
  return { ok: !failed, stdout, stderr };
}

/** The same values give the same text, so each rendering is done once per process. */
const rendered = new Map<string, Promise<HelmResult>>();

export function tryTemplate(values: Values = {}, options: RenderOptions = {}): Promise<HelmResult> {
  const { release = "evener", namespace = "ingress", kubeVersion = "1.36.0" } = options;
  const args = ["template", release, CHART_DIR, "--namespace", namespace, "--kube-version", kubeVersion];
  const input = JSON.stringify(values);
  const key = JSON.stringify([args, input]);
  const result = rendered.get(key) ?? runHelm([...args, "--values", "-"], input);
  rendered.set(key, result);
  return result;
}

export async function templateText(values: Values = {}, options: RenderOptions = {}): Promise<string> {
  const { ok, stdout, stderr } = await tryTemplate(values, options);
  if (!ok) throw new Error(stderr);
  return stdout;
}

/** The objects that an installation with these values creates. */
export async function renderChart(values: Values = {}, options: RenderOptions = {}): Promise<KubeObject[]> {
  // Kubernetes reads YAML 1.1: 0444 is octal, and a bare "yes" no text.
  const documents = parseAllDocuments(await templateText(values, options), { version: "1.1" });
  return documents.flatMap((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    const object: unknown = document.toJS();
    return object === null ? [] : [object as KubeObject];
  });
}
