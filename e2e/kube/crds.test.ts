// SPDX-License-Identifier: Apache-2.0
/** The definitions of the chart in a real API server: what it refuses, and how it says so. */
import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { INVALID, VALID } from "../../test/crd/cases.ts";
import { compareRefusals } from "../../test/crd/golden.ts";
import type { Manifest } from "../lib/manifests.ts";
import { pathOf } from "./lib/api-client.ts";
import { Cluster } from "./lib/cluster.ts";
import { installDefinitions } from "./lib/definitions.ts";

let cluster: Cluster;

before(async () => {
  cluster = await Cluster.start();
  await installDefinitions(cluster);
});
after(() => cluster?.stop());

async function create(object: Manifest) {
  const path = pathOf(object);
  const collection = path.slice(0, path.lastIndexOf("/"));
  return cluster.admin.call("POST", `${collection}?dryRun=All&fieldValidation=Strict`, object);
}

describe("custom resources in the API server", () => {
  test("what is wrong is refused with a message that says why", async () => {
    const refusals: (readonly [string, readonly string[]])[] = [];
    for (const { name, object } of INVALID) {
      const { status, json } = await create(object);
      assert.ok(status === 422 || status === 400, `${name}: ${status} ${JSON.stringify(json)}`);
      refusals.push([name, describeCauses(json)]);
    }
    compareRefusals("server.txt", new Map(refusals));
  });

  test("what is right is taken", async () => {
    for (const { name, object } of VALID) {
      const { status, json } = await create(object);
      assert.equal(status, 201, `${name}: ${JSON.stringify(json)}`);
    }
  });

  test("an unknown field is named", async () => {
    const [valid] = VALID;
    const { status, json } = await create({
      ...valid?.object,
      spec: { ...(valid?.object.spec as object), stratgy: "first" },
    });
    assert.equal(status, 400);
    assert.match(String(json.message), /unknown field "spec\.stratgy"/);
  });

  test("the definitions are structural, and every kind has columns and a status of its own", async () => {
    const dir = join(import.meta.dirname, "../../charts/evener/crds");
    const names = (await readdir(dir)).filter((name) => name.endsWith(".yaml"));
    assert.equal(names.length, 3);
    for (const name of names) {
      const file = await readFile(join(dir, name), "utf8");
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${name.replace(/\.yaml$/, "")}`;
      const { json } = await cluster.admin.call("GET", path);
      const { status, spec } = json as unknown as CrdView;
      const isTrue = (type: string) =>
        status.conditions.some((one) => one.type === type && one.status === "True");
      assert.ok(isTrue("Established") && isTrue("NamesAccepted") && !isTrue("NonStructuralSchema"), file);
      assert.ok(spec.versions[0]?.subresources.status !== undefined);
      const list = await cluster.admin.call(
        "GET",
        `/apis/evener.io/v1alpha1/${spec.names.plural}`,
        undefined,
        "application/json",
      );
      assert.equal(list.status, 200);
      assert.deepEqual(spec.names.categories, ["evener"]);
    }
  });
});

interface CrdView {
  readonly spec: {
    readonly names: { readonly plural: string; readonly categories: readonly string[] };
    readonly versions: readonly { readonly subresources: { readonly status?: object } }[];
  };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
}

function describeCauses(json: Record<string, unknown>): readonly string[] {
  const { details, message } = json as {
    details?: { causes?: { field: string; message: string }[] };
    message?: string;
  };
  // That it did not ask all rules of a malformed object is said with each.
  const causes = (details?.causes ?? [])
    .filter(({ field }) => field !== "<nil>")
    .map((cause) => `${cause.field}: ${cause.message}`);
  return causes.length > 0 ? causes.sort() : [String(message)];
}
