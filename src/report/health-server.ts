// SPDX-License-Identifier: Apache-2.0
/** The port for probes, scrapes and people who debug. It shows no key. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HealthDependencies {
  /** What is missing for readiness; empty when ready. */
  readonly missing: () => readonly string[];
  /** What a restart would mend; empty when alive. */
  readonly broken: () => readonly string[];
  readonly metrics: () => Promise<{ readonly type: string; readonly text: string }>;
  /** Rendered files by name. */
  readonly config: () => Readonly<Record<string, string>>;
  readonly model: () => unknown;
}

export interface HealthServer {
  readonly port: number;
  stop(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

export async function startHealthServer(port: number, deps: HealthDependencies): Promise<HealthServer> {
  const server = createServer((request, response) => {
    void respond(request, response, deps);
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 30_000;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(
        new Error(`the health port ${port} can't be opened (--healthz-port): ${error.message}`, {
          cause: error,
        }),
      );
    });
    server.listen(port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  deps: HealthDependencies,
): Promise<void> {
  let answer: Answer;
  try {
    answer = await route(request, deps);
  } catch (error) {
    answer = { status: 500, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
  response.writeHead(answer.status, {
    "content-type": answer.type ?? "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

async function route(request: IncomingMessage, deps: HealthDependencies): Promise<Answer> {
  if (request.method !== "GET" && request.method !== "HEAD") return { status: 405, body: "only GET\n" };
  switch (request.url?.split("?")[0]) {
    case "/healthz":
      return report(deps.broken(), "alive");
    case "/readyz":
      return report(deps.missing(), "ready");
    case "/metrics": {
      const { type, text } = await deps.metrics();
      return { status: 200, type, body: text };
    }
    case "/debug/config":
      return { status: 200, body: formatFiles(deps.config()) };
    case "/debug/model":
      return { status: 200, type: "application/json", body: `${JSON.stringify(deps.model(), null, 2)}\n` };
    default:
      return { status: 404, body: "there are /healthz /readyz /metrics /debug/config /debug/model\n" };
  }
}

function report(faults: readonly string[], word: string): Answer {
  if (faults.length === 0) return { status: 200, body: `${word}\n` };
  return { status: 503, body: `not ${word}:\n${faults.map((fault) => `- ${fault}\n`).join("")}` };
}

function formatFiles(files: Readonly<Record<string, string>>): string {
  return Object.entries(files)
    .map(([name, text]) => `==> ${name} <==\n${text}`)
    .join("\n");
}
