// SPDX-License-Identifier: Apache-2.0
/**
 * The library's own watch skips lines that it can't parse, ends quiet watches after half a minute and keeps a token for
 * a minute whatever the server says of it. So only its configuration is used here: what it finds (CA, client certificate,
 * exec plugins) is asked for anew before every request, and a token file is read each time.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import http, { type IncomingMessage } from "node:http";
import https, { type RequestOptions } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";
import { findTokenFile } from "./config.ts";
import type { ApiCall, ApiRequest, ApiResponse, Transport } from "./transport.ts";

type Headers = Record<string, string>;

/** A dead peer is noticed after this and ten unanswered probes, one a second. */
const KEEPALIVE_MS = 10_000;

export class HttpTransport implements Transport {
  readonly #config: KubeConfig;
  readonly #userAgent: string;
  #agent: http.Agent | undefined;
  #agentKey = "";

  constructor(config: KubeConfig, userAgent: string) {
    this.#config = config;
    this.#userAgent = userAgent;
  }

  async get(request: ApiRequest): Promise<ApiResponse> {
    return this.send({ ...request, method: "GET" });
  }

  async send({ method, path, signal, body }: ApiCall): Promise<ApiResponse> {
    signal.throwIfAborted();
    const url = new URL(this.#server() + path);
    const options = await this.#authenticate();
    const type = body === undefined ? {} : { "content-type": body.type };
    const own = { accept: "application/json", "user-agent": this.#userAgent };
    const headers = { ...options.headers, ...own, ...type };
    const agent = this.#chooseAgent(url, options);
    const send = url.protocol === "http:" ? http.request : https.request;
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = send(url, { method, headers, agent, signal });
      request.on("socket", (socket) => socket.setKeepAlive(true, KEEPALIVE_MS));
      request.on("response", resolve);
      request.on("error", reject);
      request.end(body?.text);
    });
    return { status: response.statusCode ?? 0, headers: response.headers, body: response };
  }

  close(): void {
    this.#agent?.destroy();
  }

  #server(): string {
    const server = this.#config.getCurrentCluster()?.server;
    if (server === undefined) throw new Error("there is no current cluster");
    return server.replace(/\/+$/, "");
  }

  async #authenticate(): Promise<RequestOptions & { headers: Headers }> {
    const options: RequestOptions = { headers: {} };
    await this.#config.applyToHTTPSOptions(options);
    const headers = { ...(options.headers as Headers) };
    const tokenFile = findTokenFile(this.#config);
    if (tokenFile !== undefined) {
      headers.Authorization = `Bearer ${(await readFile(tokenFile, "utf8")).trim()}`;
    }
    return { ...options, headers };
  }

  /** One pool of connections for as long as the certificates stay the same. */
  #chooseAgent(url: URL, options: RequestOptions): http.Agent {
    // Behind a proxy the library's own agent knows the way.
    if (this.#config.getCurrentCluster()?.proxyUrl && options.agent instanceof http.Agent)
      return options.agent;
    const { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized } = options;
    const tls = { ca, cert, key, pfx, passphrase, servername, rejectUnauthorized };
    const given = Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
    const agentKey = createHash("sha256")
      .update(JSON.stringify([url.protocol, given]))
      .digest("hex");
    if (this.#agent !== undefined && this.#agentKey === agentKey) return this.#agent;
    this.#agent?.destroy();
    this.#agent =
      url.protocol === "http:"
        ? new http.Agent({ keepAlive: true })
        : new https.Agent({ ...given, keepAlive: true });
    this.#agentKey = agentKey;
    return this.#agent;
  }
}
