// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { PLACEHOLDER_CERTIFICATE, renderManifests } from "../../src/cli/render.ts";
import type { CustomKind } from "../../src/crd/definitions.ts";
import { buildModel } from "../../src/model/build-model.ts";
import { EMPTY_STORE } from "../../src/model/empty-store.ts";
import type { Ir, Store } from "../../src/model/types.ts";
import { renderConfigs } from "../../src/render/render-configs.ts";
import { UnsafeValueError } from "../../src/render/safe.ts";
import { Interner } from "../../src/source/kube/interner.ts";
import { readApiObject, readName } from "../../src/source/kube/read-api-object.ts";
import { parseManifests } from "../../src/store/parse-manifests.ts";
import { makeCertificates } from "../helpers/certificates.ts";
import { fullObjects } from "../helpers/full-objects.ts";
import { HOSTILE, MARK, replaceEachString } from "../helpers/hostile.ts";
import { NOW, SETTINGS } from "../helpers/settings.ts";

const made = await makeCertificates({ web: { names: ["a.example", "*.a.example"] }, ca: { ca: true } });
const OBJECTS = fullObjects(
  made.get("web")?.crt ?? "",
  made.get("web")?.key ?? "",
  made.get("ca")?.crt ?? "",
);

const INTERNER = new Interner();

function assertClean(text: string, where: string): void {
  assert.ok(!text.toLowerCase().includes(MARK), `${where}: hostile text came through`);
  assert.match(text, /^[\x20-\x7e\n]*$/, `${where}: a byte that no configuration has`);
}

/** Each object in turn with one field replaced, among the sound others. */
function* mutations(by: string): Generator<{ path: string; objects: readonly Record<string, unknown>[] }> {
  for (const [i, object] of OBJECTS.entries()) {
    for (const { path, value } of replaceEachString(object, by)) {
      yield { path: `${object.kind}${path}`, objects: OBJECTS.with(i, value as Record<string, unknown>) };
    }
  }
}

test("the objects are served while nothing is hostile", () => {
  const { files, problems } = renderManifests(
    [parseManifests(JSON.stringify(list(OBJECTS)), "all.json")],
    SETTINGS,
    NOW,
  );
  const balanceConf = files.get("balance.conf") ?? "";
  assert.match(balanceConf, /^route https tcp\.example shop\/web:80$/m);
  assert.match(
    balanceConf,
    /^rule web \*\.a\.example exact \/x shop\/web:80\/t3-r120 ssl-redirect .*allow=10/m,
  );
  assert.match(balanceConf, /^rule web a\.example exact \/ - ssl-redirect redirect=302,\/app /m);
  assert.match(balanceConf, /^rule web old\.example prefix \/ - redirect=308,https:\/\/new\.example/m);
  assert.deepEqual(
    problems.map((problem) => problem.reason),
    ["ClientCertificateShared", "AnnotationDiffers"],
  );
  assert.match(balanceConf, /^pool shop\/policed:80 .*lb=p2c .*check=http,\/alive,probe\.example/m);
  assert.match(balanceConf, /^trust 10\.1\.0\.0\/16$/m);
  assert.match(balanceConf, /^rule web www\.a\.example .*client-cert=required/m);
  assert.match(files.get("hitch.conf") ?? "", /client-verify = optional/);
});

describe("no byte of a hostile string reaches a configuration", () => {
  for (const [name, text] of Object.entries(HOSTILE)) {
    test(`from manifests: ${name}`, () => {
      let count = 0;
      for (const { path, objects } of mutations(text)) {
        const parsed = parseManifests(JSON.stringify(list(objects)), "all.json");
        const { files } = renderManifests([parsed], SETTINGS, NOW);
        assertClean(files.get("hitch.conf") ?? "", `hitch.conf, ${path}`);
        assertClean(files.get("balance.conf") ?? "", `balance.conf, ${path}`);
        assert.match(files.get("status.yaml") ?? "", /^problems:/);
        count++;
      }
      assert.ok(count > 100, `only ${count} fields were tried`);
    });

    // What an API server lets pass has not been through our parser.
    test(`from the API: ${name}`, () => {
      for (const { path, objects } of mutations(text)) {
        // It does check the structure, so only the keys of maps can be anything.
        if (path.includes("(key ") && !/\.(?:labels|annotations|selector|data)\.\(key /.test(path)) continue;
        const { ir } = buildModel({
          store: toStore(objects),
          settings: SETTINGS,
          fallbackCertificate: PLACEHOLDER_CERTIFICATE,
          now: NOW,
        });
        const { hitchConf, balanceConf } = renderConfigs(ir);
        assertClean(hitchConf, `hitch.conf, ${path}`);
        assertClean(balanceConf, `balance.conf, ${path}`);
      }
    });
  }
});

describe("rendering is a second line of defence", () => {
  const { ir } = buildModel({
    store: toStore(OBJECTS),
    settings: { ...SETTINGS, trustedProxies: ["10.0.0.0/8"], hsts: "max-age=1" },
    fallbackCertificate: PLACEHOLDER_CERTIFICATE,
    now: NOW,
  });

  test("every string of the IR that is rendered is checked", () => {
    renderConfigs(ir);
    const rendered = {
      hitch: { ...ir.hitch, certificates: ir.hitch.certificates.map(({ id }) => ({ id })) },
    };
    const parts = {
      hitch: {
        ...rendered.hitch,
        // Of these the model makes something else: settings of the whole, the list in `alpn`, a certificate, routes and pools.
        tls: {
          ...ir.hitch.tls,
          alpn: undefined,
          hsts: undefined,
          trustedProxies: undefined,
          defaultCertificate: undefined,
          tcpServices: [],
        },
        served: undefined,
        relayed: undefined,
        defaultCertificate: { id: "default" },
      },
      // Backups are names of Services; what is rendered of them are their endpoints.
      balance: {
        ...ir.balance,
        pools: ir.balance.pools.map((pool) => ({ ...pool, settings: { ...pool.settings, backups: [] } })),
      },
    };
    let count = 0;
    for (const { path, value } of replaceEachString(parts, `a.example\n${MARK}`)) {
      if (path.includes("(key ")) continue;
      assert.throws(() => renderConfigs(value as Ir), UnsafeValueError, path);
      count++;
    }
    assert.ok(count >= 15, `only ${count} values were tried`);
  });
});

function list(items: readonly unknown[]): object {
  return { apiVersion: "v1", kind: "List", items };
}

function toStore(objects: readonly Record<string, unknown>[]): Store {
  // The kinds keep their places, whatever became of the field `kind`.
  const mapOf = (kind: string) =>
    new Map(
      objects.flatMap((object, i) => {
        if (OBJECTS[i]?.kind !== kind) return [];
        const { namespace, name } = (object.metadata ?? {}) as { namespace?: string; name?: string };
        return [[namespace === undefined ? String(name) : `${namespace}/${name}`, object] as const];
      }),
    );
  const customOf = (kind: CustomKind) =>
    new Map(
      [...mapOf(kind)].flatMap(([key, object]) => {
        const name = readName(kind, object);
        const read =
          name === undefined ? undefined : readApiObject(kind, name, structuredClone(object), INTERNER);
        return read?.ok === true ? [[key, read.object] as const] : [];
      }),
    );
  return {
    ...EMPTY_STORE,
    configMaps: mapOf("ConfigMap"),
    // What the API server has checked by a definition is checked by ours again.
    backendPolicies: customOf("BackendPolicy"),
    clientCertificatePolicies: customOf("ClientCertificatePolicy"),
    tlsProfiles: customOf("TLSProfile"),
    ingresses: mapOf("Ingress"),
    ingressClasses: mapOf("IngressClass"),
    services: mapOf("Service"),
    endpointSlices: mapOf("EndpointSlice"),
    secrets: mapOf("Secret"),
  } as unknown as Store;
}
