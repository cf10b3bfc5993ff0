// SPDX-License-Identifier: Apache-2.0
/** An Evener with something of everything on its inspection page. */
import { request } from "node:http";
import type { TestContext } from "node:test";
import { makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { startBackend } from "./backend.ts";
import { fetchBody } from "./client.ts";
import { Evener, type StartOptions } from "./evener.ts";
import { type Manifest, makeEndpoints, makeIngress, makeSecret, makeService, makeSite } from "./manifests.ts";
import { findFreePorts } from "./ports.ts";

/** HTML and controls where an object has a word of its own. */
export const HOSTILE = `<img src=x onerror="document.title='taken'">\u202e"'&{{this}}`;

/** Never redirected to TLS. */
const CHALLENGE = "/.well-known/acme-challenge/x";

export interface Inspected {
  readonly evener: Evener;
  readonly port: number;
  readonly keys: readonly string[];
  /** Another endpoint for the shop, which makes another generation of balance.conf. */
  grow(): Promise<void>;
  /** Another certificate for the shop. */
  renew(): Promise<void>;
}

export async function startInspected(t: TestContext, options: StartOptions = {}): Promise<Inspected> {
  const [one, two] = [await startBackend(t, "one"), await startBackend(t, "two")];
  const [port = 0, deaf = 0] = await findFreePorts(2);
  const pairs = await Promise.all([["shop.example"], ["*.wild.example"]].map((names) => makeKeyPair(names)));
  const [shop, wild] = pairs as [(typeof pairs)[0], (typeof pairs)[0]];
  const makeShop = (ports: readonly number[]) => [
    makeService("shop"),
    ...makeEndpoints("shop", ports),
    annotate(makeIngress("shop", "shop.example"), { "evener.io/load-balance": "least-connections" }),
  ];
  const evener = await Evener.start(
    t,
    {
      shop: makeShop([one.port]),
      "shop-tls": [makeSecret("shop-tls", shop)],
      wild: [
        makeService("wild"),
        ...makeEndpoints("wild", [two.port, deaf]),
        annotate(makeIngress("wild", "*.wild.example"), {
          "evener.io/whitelist-source-range": "127.0.0.0/8",
        }),
        makeSecret("wild-tls", wild),
      ],
      raw: makeSite("raw", [one.port], { lane: "tcp" }),
      odd: [
        annotate(makeIngress("odd", "odd.example", { service: "missing" }), {
          "evener.io/load-balance": HOSTILE,
          "evener.io/rewrite-target": HOSTILE,
        }),
      ],
    },
    {
      ...options,
      args: [
        "--inspection",
        "--inspection-port",
        String(port),
        "--inspection-host",
        "evener.test",
        ...(options.args ?? []),
      ],
    },
  );
  await eventually("the deaf endpoint is found out", async () => {
    for (let i = 0; i < 4; i++)
      await fetchBody("http", "a.wild.example", evener.httpPort, CHALLENGE).catch(() => "");
    const pools = await evener.balance.pools();
    return pools.some(({ groups }) =>
      groups.some(({ channels }) => channels.some(({ state }) => state === "ejected")),
    );
  });
  return {
    evener,
    port,
    keys: [shop.key, wild.key],
    renew: async () => {
      const next = await makeKeyPair(["shop.example"]);
      await evener.put("shop-tls", [makeSecret("shop-tls", next)]);
    },
    grow: async () => {
      await evener.put("shop", makeShop([one.port, two.port]));
      await eventually("two endpoints", async () => {
        const pools = await evener.balance.pools();
        return pools.some(
          ({ pool, groups }) => pool.startsWith("default/shop:80") && groups[0]?.channels.length === 2,
        );
      });
    },
  };
}

function annotate(ingress: Manifest, annotations: Readonly<Record<string, string>>): Manifest {
  const metadata = ingress.metadata as Record<string, unknown>;
  return { ...ingress, metadata: { ...metadata, annotations } };
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** With any Host and any method, which fetch does not allow. */
export function ask(
  port: number,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  method = "GET",
): Promise<Got> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port, path, method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => {
        text += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}
