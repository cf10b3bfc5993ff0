// SPDX-License-Identifier: Apache-2.0
/**
 * What was done to ingress-nginx, done to Evener: each hole of its history where it was, and each one's text in every other place that
 * somebody who may write Ingresses, or our own resources, can write to. Nothing of it reaches a rendered file, and what is left out is told.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { renderManifests } from "../../src/cli/render.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { makeCertificates } from "../helpers/certificates.ts";
import { fullObjects } from "../helpers/full-objects.ts";
import { MARK, replaceEachString } from "../helpers/hostile.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

type Json = Record<string, unknown>;

interface Attack {
  readonly cve: string;
  readonly about: string;
  /** The hole as it was: an Ingress. */
  readonly ingress: (base: Json) => Json;
  /** What is tried everywhere else. */
  readonly text: string;
}

const NGINX = "nginx.ingress.kubernetes.io/";

const annotate =
  (annotations: Readonly<Record<string, string>>) =>
  (base: Json): Json => {
    const prefixed = Object.entries(annotations).map(([name, text]) => [`${NGINX}${name}`, text]);
    return { ...base, metadata: { ...(base.metadata as Json), annotations: Object.fromEntries(prefixed) } };
  };

const withPath =
  (path: string, pathType = "ImplementationSpecific") =>
  (base: Json): Json => ({
    ...base,
    spec: {
      ingressClassName: "evener",
      rules: [
        {
          host: "attack.example",
          http: { paths: [{ path, pathType, backend: { service: { name: "web", port: { number: 80 } } } }] },
        },
      ],
    },
  });

const withUid =
  (uid: string, annotations: Readonly<Record<string, string>>) =>
  (base: Json): Json => {
    const annotated = annotate(annotations)(base);
    return { ...annotated, metadata: { ...(annotated.metadata as Json), uid } };
  };

const TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/";
const SNIPPET = `more_set_headers "${MARK}";\nlocation /${MARK} { alias ${TOKEN}; }`;
const ENGINE = `#;\n}}}\nssl_engine /proc/1/fd/${MARK};`;

const ATTACKS: readonly Attack[] = [
  {
    cve: "CVE-2021-25742",
    about: "snippets that read the service account's token",
    ingress: annotate({
      "configuration-snippet": SNIPPET,
      "server-snippet": SNIPPET,
      "stream-snippet": SNIPPET,
    }),
    text: SNIPPET,
  },
  {
    cve: "CVE-2021-25745",
    about: "a path that ends its location and begins another",
    ingress: withPath(`/${MARK} { alias ${TOKEN}; } location /x`),
    text: `/${MARK}{alias ${TOKEN};}`,
  },
  {
    cve: "CVE-2021-25746",
    about: "directives in the value of any annotation",
    ingress: annotate({
      "upstream-vhost": `x;\nproxy_pass http://${MARK}`,
      "proxy-body-size": `1m;\nproxy_pass http://${MARK}`,
      "whitelist-source-range": `10.0.0.0/8; allow ${MARK}`,
      "rewrite-target": `/x; } location /${MARK} {`,
    }),
    text: `1m;\nproxy_pass http://${MARK};`,
  },
  {
    cve: "CVE-2021-25748",
    about: "a line break in a path, past the check of its first line",
    ingress: withPath(`/x\n/${MARK};alias`),
    text: `/x\n${MARK}`,
  },
  {
    cve: "CVE-2022-4886",
    about: "a path that is a directive (log_format)",
    ingress: withPath(`/x;log_format ${MARK} escape=none`),
    text: `log_format ${MARK} '$request'`,
  },
  {
    cve: "CVE-2023-5043",
    about: "commands by way of a configuration snippet",
    ingress: annotate({ "configuration-snippet": `content_by_lua_block { os.execute("${MARK}") }` }),
    text: `content_by_lua_block { os.execute("${MARK}") }`,
  },
  {
    cve: "CVE-2023-5044",
    about: "code in permanent-redirect",
    ingress: annotate({ "permanent-redirect": `https://x.example;}location ~* "^/${MARK}"{content_by_lua` }),
    text: `https://x.example;}${MARK}`,
  },
  {
    cve: "CVE-2024-7646",
    about: "a carriage return that the check of annotations took for nothing",
    ingress: annotate({
      "auth-tls-secret": `shop/web\r${MARK}`,
      "permanent-redirect": `https://x.example\r${MARK}`,
    }),
    text: `x\r${MARK}`,
  },
  {
    cve: "CVE-2025-1097",
    about: "auth-tls-match-cn, with a client CA that is there",
    ingress: annotate({ "auth-tls-secret": "shop/authority", "auth-tls-match-cn": `CN=x ){ }\n${ENGINE}` }),
    text: `CN=x){}${ENGINE}`,
  },
  {
    cve: "CVE-2025-1098",
    about: "mirror-target and mirror-host, and the UID that stands beside them",
    ingress: withUid(`x;\n${MARK} {`, { "mirror-target": `https://${MARK};\n`, "mirror-host": `${MARK}"` }),
    text: `${MARK};\n\n\n}\n}\n`,
  },
  {
    cve: "CVE-2025-24513",
    about: "a Secret's name as a path",
    ingress: annotate({
      "auth-secret": `../../${MARK}`,
      "auth-type": "basic",
      "proxy-ssl-secret": `../${MARK}/x`,
    }),
    text: `../../../${MARK}`,
  },
  {
    cve: "CVE-2025-24514",
    about: "auth-url that ends its comment and its block",
    ingress: annotate({ "auth-url": `http://x.example/#;\n${ENGINE}` }),
    text: `http://x.example/${ENGINE}`,
  },
  {
    cve: "CVE-2025-1974",
    about:
      "a library loaded by the check of the configuration; Evener has no such check that reads what users wrote",
    ingress: withUid(`x\n${ENGINE}`, { "auth-url": `http://x.example\n${ENGINE}` }),
    text: ENGINE,
  },
  {
    cve: "CVE-2025-15566",
    about: "auth-proxy-set-headers as the name of a ConfigMap",
    ingress: annotate({ "auth-url": "http://x.example", "auth-proxy-set-headers": `shop/x"\n${MARK}` }),
    text: `shop/x"\n${MARK}`,
  },
  {
    cve: "CVE-2026-24512",
    about: "a path with quotes and braces that the check let pass",
    ingress: withPath(`/x" { } ${MARK} "`, "Exact"),
    text: `/x"{}${MARK}`,
  },
  {
    cve: "CVE-2026-4342",
    about: "annotations and a path that together make a comment of what should not be one",
    ingress: (base) => ({
      ...annotate({ "rewrite-target": `/#${MARK}`, "server-alias": `#${MARK}`, "use-regex": "true" })(base),
      ...(withPath(`/#${MARK}\n`)(base) as { spec: unknown }),
      metadata: (
        annotate({ "rewrite-target": `/#${MARK}`, "server-alias": `#${MARK}`, "use-regex": "true" })(
          base,
        ) as Json
      ).metadata,
    }),
    text: `#${MARK}\n`,
  },
];

const made = await makeCertificates({ web: { names: ["a.example", "*.a.example"] }, ca: { ca: true } });
const OBJECTS = fullObjects(
  made.get("web")?.crt ?? "",
  made.get("web")?.key ?? "",
  made.get("ca")?.crt ?? "",
);

const ATTACKER: Json = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "attack", namespace: "shop" },
  spec: {
    ingressClassName: "evener",
    tls: [{ hosts: ["attack.example"], secretName: "web-tls" }],
    rules: [
      {
        host: "attack.example",
        http: {
          paths: [
            { path: "/x", pathType: "Prefix", backend: { service: { name: "web", port: { name: "http" } } } },
          ],
        },
      },
    ],
  },
};

function render(objects: readonly unknown[]) {
  const list = { apiVersion: "v1", kind: "List", items: objects };
  const { files, problems } = renderManifests(
    [parseManifests(JSON.stringify(list), "all.json")],
    SETTINGS,
    NOW,
  );
  return { hitch: files.get("hitch.conf") ?? "", balance: files.get("balance.conf") ?? "", problems };
}

const BASE = render(OBJECTS);
const HITCH_LINES = new Set(BASE.hitch.split("\n"));
const DIRECTIVES = new Set(BASE.balance.split("\n").map((line) => line.split(" ")[0]));

/** Nothing of it is there, and there is no line that the others would not have. */
function assertUnharmed({ hitch, balance }: ReturnType<typeof render>, where: string): void {
  for (const text of [hitch, balance]) {
    assert.ok(!text.toLowerCase().includes(MARK), `${where}: it came through`);
    assert.doesNotMatch(text, /ssl_engine|lua|alias|serviceaccount|proxy_pass/, where);
    assert.match(text, /^[\x20-\x7e\n]*$/, where);
  }
  for (const line of hitch.split("\n")) {
    const isOurs =
      HITCH_LINES.has(line) ||
      /^(?:pem-file = | {2}cert = | {2}client-verify-ca = )"[a-z0-9/.]+"$/.test(line);
    assert.ok(
      isOurs || /^(?:pem-file = \{|\}| {2}client-verify = (?:optional|required))$/.test(line),
      `${where}: ${line}`,
    );
  }
  for (const line of balance.split("\n")) {
    const [directive] = line.split(" ");
    assert.ok(DIRECTIVES.has(directive), `${where}: ${line}`);
  }
}

interface Place {
  readonly where: string;
  readonly object: Json;
  /** What it takes the place of. */
  readonly original?: Json;
}

/** Where somebody with the right to write an Ingress, or one of ours, can put a text. */
function* listPlaces(text: string): Generator<Place> {
  for (const { path, value } of replaceEachString(ATTACKER, text))
    yield { where: `Ingress${path}`, object: value as Json };
  const metadata = ATTACKER.metadata as Json;
  yield { where: "Ingress.metadata.uid", object: { ...ATTACKER, metadata: { ...metadata, uid: text } } };
  for (const object of OBJECTS) {
    const annotations =
      (object.metadata as { annotations?: Readonly<Record<string, string>> }).annotations ?? {};
    if (object.kind !== "Ingress") continue;
    for (const name of Object.keys(annotations)) {
      const attack = { ...ATTACKER, metadata: { ...metadata, annotations: { [name]: text } } };
      yield { where: `Ingress.metadata.annotations[${name}]`, object: attack };
    }
  }
  for (const object of OBJECTS) {
    if (object.apiVersion !== "evener.io/v1alpha1") continue;
    for (const { path, value } of replaceEachString(object, text)) {
      yield { where: `${object.kind}${path}`, object: value as Json, original: object };
    }
  }
}

describe("the history of injections", () => {
  for (const { cve, about, ingress, text } of ATTACKS) {
    test(`${cve}: ${about}`, () => {
      const result = render([...OBJECTS, ingress(ATTACKER)]);
      assertUnharmed(result, "as it was");
      const told = result.problems.filter(({ ref }) => ref.kind === "Ingress" && ref.name === "attack");
      assert.ok(told.length > 0, "nobody is told");
      for (const { message } of told)
        assert.match(message, /^[\x20-\x7e…]*$/, "a message is one line of text");

      let places = 0;
      for (const { where, object, original } of listPlaces(text)) {
        assertUnharmed(render([...OBJECTS.filter((one) => one !== original), object]), where);
        places++;
      }
      assert.ok(places > 80, `only ${places} places`);
    });
  }
});
