// SPDX-License-Identifier: Apache-2.0
/** Writes objects as kubectl apply --server-side would, many at a time when asked. */
import { Agent, request } from "node:https";
import type { Manifest } from "../../lib/manifests.ts";

export interface Identity {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface ApiAnswer {
  readonly status: number;
  readonly json: Record<string, unknown>;
}

interface Named {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

const CLUSTER_SCOPED = [
  "Namespace",
  "IngressClass",
  "ClusterRole",
  "ClusterRoleBinding",
  "CustomResourceDefinition",
  "TLSProfile",
];

/** `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME` */
export function pathOf(manifest: Manifest): string {
  const { apiVersion, kind, metadata } = manifest as unknown as Named;
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = pluralOf(kind);
  const scope = CLUSTER_SCOPED.includes(kind) ? "" : `/namespaces/${metadata.namespace ?? "default"}`;
  return `${root}${scope}/${plural}/${metadata.name}`;
}

function pluralOf(kind: string): string {
  const word = kind.toLowerCase();
  if (word.endsWith("s")) return `${word}es`;
  return word.endsWith("cy") ? `${word.slice(0, -1)}ies` : `${word}s`;
}

export class ApiClient {
  readonly #url: string;
  readonly #agent: Agent;

  constructor(url: string, identity: Identity) {
    this.#url = url;
    this.#agent = new Agent({ ...identity, keepAlive: true, maxSockets: 32 });
  }

  async call(method: string, path: string, body?: unknown, type = "application/json"): Promise<ApiAnswer> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { "content-type": type };
      const call = request(new URL(path, this.#url), {
        method,
        headers,
        agent: this.#agent,
        timeout: 30_000,
      });
      call.on("timeout", () => call.destroy(new Error(`${method} ${path}: no answer within 30 seconds`)));
      call.on("error", reject);
      call.on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("error", reject);
        response.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          const json = text.startsWith("{") ? (JSON.parse(text) as Record<string, unknown>) : { text };
          resolve({ status: response.statusCode ?? 0, json });
        });
      });
      call.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** Creates or changes objects, in order. */
  async apply(...manifests: readonly Manifest[]): Promise<void> {
    for (const manifest of manifests) {
      const path = `${pathOf(manifest)}?fieldManager=e2e&force=true`;
      await this.#expect("PATCH", path, manifest, "application/apply-patch+yaml");
    }
  }

  /** Creates objects that are known not to be there: cheaper than apply, for thousands. */
  async create(manifests: readonly Manifest[]): Promise<void> {
    const rest = [...manifests];
    const work = async () => {
      for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
        const path = pathOf(next);
        await this.#expect("POST", path.slice(0, path.lastIndexOf("/")), next);
      }
    };
    await Promise.all(Array.from({ length: 16 }, work));
  }

  async delete(...manifests: readonly Manifest[]): Promise<void> {
    for (const manifest of manifests) {
      const { status, json } = await this.call("DELETE", pathOf(manifest));
      if (status >= 300 && status !== 404)
        throw new Error(`DELETE ${pathOf(manifest)}: ${JSON.stringify(json)}`);
    }
  }

  async get(manifest: Manifest): Promise<Record<string, unknown> | undefined> {
    const { status, json } = await this.call("GET", pathOf(manifest));
    return status === 404 ? undefined : json;
  }

  close(): void {
    this.#agent.destroy();
  }

  async #expect(method: string, path: string, body: unknown, type?: string): Promise<void> {
    const { status, json } = await this.call(method, path, body, type);
    if (status >= 300) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(json)}`);
  }
}
