// SPDX-License-Identifier: Apache-2.0
/** Serves the inspection: as a page on a port, where somebody wants that, and to `evener status` on a socket of our user's alone. */
import { chmod } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, ListenOptions } from "node:net";
import { readTemplate } from "../render/templates.ts";
import { refuse } from "./guard.ts";
import type { Inspector } from "./inspector.ts";
import { createPages, PAGES, type Page } from "./page.ts";

export interface InspectionServer {
  /** 0 for a socket. */
  readonly port: number;
  stop(): Promise<void>;
}

export interface PageSettings {
  readonly address: string;
  readonly port: number;
  /** Host names that it may be asked by, beside addresses and `localhost`. */
  readonly hosts: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly type?: string;
  readonly body: string;
}

const HTML = "text/html; charset=utf-8";
const MAX_FILTER = 200;

/** For every answer; nothing comes from elsewhere, and nothing of it is for elsewhere. */
const HEADERS = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** For people who can reach the port; see guard.ts for who else tries. */
export async function startInspectionPage(
  { address, port, hosts }: PageSettings,
  inspector: Inspector,
): Promise<InspectionServer> {
  return listen(createHandler(inspector, hosts), { host: address, port }, `${address} port ${port}`);
}

export async function startInspectionSocket(path: string, inspector: Inspector): Promise<InspectionServer> {
  const server = await listen(createHandler(inspector, []), { path }, path);
  await chmod(path, 0o600);
  return server;
}

type Handler = (request: IncomingMessage) => Promise<Answer>;

async function listen(handler: Handler, where: ListenOptions, name: string): Promise<InspectionServer> {
  const server: Server = createServer({ maxHeaderSize: 8192 }, (request, response) => {
    void respond(request, response, handler);
  });
  server.headersTimeout = 10_000;
  server.requestTimeout = 10_000;
  server.maxConnections = 64;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      reject(new Error(`${name} can't be opened for inspection: ${error.message}`, { cause: error }));
    });
    server.listen(where, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === "object" ? ((address as AddressInfo | null)?.port ?? 0) : 0,
    stop: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

async function respond(request: IncomingMessage, response: ServerResponse, handler: Handler): Promise<void> {
  let answer: Answer;
  try {
    answer = await handler(request);
  } catch (error) {
    answer = { status: 500, body: `${error instanceof Error ? error.message : String(error)}\n` };
  }
  response.writeHead(answer.status, {
    ...HEADERS,
    ...(answer.status === 405 ? { allow: "GET, HEAD" } : {}),
    "content-type": answer.type ?? "text/plain; charset=utf-8",
    "content-length": Buffer.byteLength(answer.body),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
}

function createHandler(inspector: Inspector, hosts: readonly string[]): Handler {
  const show = createPages();
  const assets = new Map<string, Answer>(
    [
      ["style.css", "text/css; charset=utf-8"],
      ["script.js", "text/javascript; charset=utf-8"],
      ["icon.svg", "image/svg+xml"],
    ].map(([name = "", type = ""]) => [
      `/${name}`,
      { status: 200, type, body: readTemplate(`page/${name}`) },
    ]),
  );
  return async (request) => {
    const refusal = refuse(
      {
        method: request.method,
        hosts: request.headersDistinct.host ?? [],
        fetchSite: request.headersDistinct["sec-fetch-site"]?.[0],
        fetchMode: request.headersDistinct["sec-fetch-mode"]?.[0],
      },
      hosts,
    );
    if (refusal !== undefined) return { status: refusal.status, body: `${refusal.message}\n` };
    const target = request.url ?? "/";
    const question = target.indexOf("?");
    const path = question < 0 ? target : target.slice(0, question);
    const query = new URLSearchParams(question < 0 ? "" : target.slice(question));
    const asset = assets.get(path);
    if (asset !== undefined) return asset;
    if (path === "/inspection.json") {
      // Still the same JSON, and no markup even to whoever takes it for something else.
      const body = `${JSON.stringify(await inspector.inspect()).replaceAll("<", "\\u003c")}\n`;
      return { status: 200, type: "application/json", body };
    }
    if (path.startsWith("/files/")) return answerFile(inspector.file(decode(path.slice("/files/".length))));
    const page = findPage(path);
    if (page === undefined) return { status: 404, body: "there is no such page\n" };
    const body = show(await inspector.inspect(), {
      page,
      filter: (query.get("q") ?? "").trim().slice(0, MAX_FILTER),
      from: readCount(query.get("from")),
      file: (name) => inspector.file(name),
    });
    return { status: 200, type: HTML, body };
  };
}

function answerFile(text: string | undefined): Answer {
  return text === undefined ? { status: 404, body: "there is no such file\n" } : { status: 200, body: text };
}

function findPage(path: string): Page | undefined {
  if (path === "/") return "overview";
  return PAGES.find((page) => page !== "overview" && path === `/${page}`);
}

function readCount(text: string | null): number {
  return text !== null && /^\d{1,7}$/.test(text) ? Number(text) : 0;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
