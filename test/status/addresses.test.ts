// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { V1Service } from "@kubernetes/client-node";
import { isSameAddresses, readServiceAddresses, toAddresses } from "../../src/status/addresses.ts";

const read = (spec: V1Service["spec"], ingress: { ip?: string; hostname?: string }[] = []) =>
  readServiceAddresses({ spec: spec ?? {}, status: { loadBalancer: { ingress } } }).map(
    ({ ip, hostname }) => ip ?? hostname,
  );

describe("the addresses of the Service, by its type", () => {
  const clusterIPs = ["10.96.0.7", "fd00::7"];

  test("LoadBalancer: what the load balancer was given, and the external IPs", () => {
    const spec = { type: "LoadBalancer", clusterIPs, externalIPs: ["192.0.2.9"] };
    const given = [{ hostname: "lb.example" }, { ip: "192.0.2.1" }, { ip: "192.0.2.9" }];
    assert.deepEqual(read(spec, given), ["192.0.2.1", "192.0.2.9", "lb.example"].sort());
    assert.deepEqual(read({ type: "LoadBalancer", clusterIPs }), []);
  });

  test("NodePort and ClusterIP: the external IPs, else the cluster's own", () => {
    for (const type of ["NodePort", "ClusterIP"]) {
      assert.deepEqual(read({ type, clusterIPs, externalIPs: ["192.0.2.9"] }), ["192.0.2.9"]);
      assert.deepEqual(read({ type, clusterIPs }), clusterIPs);
      assert.deepEqual(read({ type, clusterIP: "10.96.0.7" }), ["10.96.0.7"]);
    }
    assert.deepEqual(read({ clusterIP: "None", clusterIPs: ["None"] }), []);
  });

  test("ExternalName: the name; an unknown type: none", () => {
    assert.deepEqual(read({ type: "ExternalName", externalName: "lb.example" }), ["lb.example"]);
    assert.deepEqual(read({ type: "Wormhole", clusterIPs }), []);
  });
});

test("what is neither address nor name does not spoil the rest", () => {
  assert.deepEqual(toAddresses(["2001:DB8::1", "a b", "", "*.example", "lb.example"]), [
    { ip: "2001:db8::1" },
    { hostname: "lb.example" },
  ]);
});

test("addresses are the same in any order, and only then", () => {
  const [a, b, c] = [{ ip: "192.0.2.1" }, { hostname: "lb.example" }, { ip: "192.0.2.3" }];
  assert.equal(isSameAddresses([a, b], [b, a]), true);
  assert.equal(isSameAddresses([a, b], [a, c]), false);
  assert.equal(isSameAddresses([a, b], [a]), false);
  assert.equal(isSameAddresses([], []), true);
});
