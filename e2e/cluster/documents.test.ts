// SPDX-License-Identifier: Apache-2.0
/** The commands for a cluster that are in the documents, typed as they stand there: `make e2e-cluster`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe } from "node:test";
import { parse } from "yaml";
import { MONITORING_CRDS } from "../../charts/test/lib/monitoring-crds.ts";
import { CHART_DIR } from "../../charts/tools/helm.ts";
import { type KeyPair, makeKeyPair } from "../../test/fixtures/certificates.ts";
import { eventually } from "../../test/fixtures/eventually.ts";
import { type Manifest, makeIngress, makeSecret } from "../lib/manifests.ts";
import { CLIENT_ADDRESSES, LB_ADDRESS, NODE_ADDRESS } from "./lib/addresses.ts";
import { findEvenerImage, ROOT, whyNot } from "./lib/assets.ts";
import { ask, Load, type Target } from "./lib/load.ts";
import { Node } from "./lib/node.ts";
import { ECHO_IMAGE, makeEcho, makeNamespace } from "./lib/objects.ts";
import { listContainers } from "./lib/processes.ts";
import { Reader } from "./lib/reader.ts";
import { Release } from "./lib/release.ts";
import { compileStatic, makeScratchImage } from "./lib/scratch-image.ts";
import { makeSteps } from "./lib/steps.ts";
import { type Pod, Workloads } from "./lib/workloads.ts";

/** As the documents have it. */
const HOST = "shop.example";
const SHOP = "shop";
const WEB = "app=web";
const POOL = "shop/web:80";
const REGISTRY = "registry.example/evener";
const DOCUMENTED_POD = "10.0.0.7:8080";
const UPSTREAM = "/usr/local/bin/balance-upstream";
const READY_MS = 90_000;

describe("the documents' commands on a cluster of one node", { skip: whyNot() }, () => {
  let node: Node;
  let workloads: Workloads;
  let release: Release;
  let reader: Reader;
  let pair: KeyPair;

  const step = makeSteps(async () => await node?.dump());
  const target = (address: string, port: number): Target => ({ address, port, host: HOST, ca: pair.cert });
  const served = (address: string, port: number) =>
    eventually(
      `${address}:${port} serves`,
      async () => (await ask(target(address, port))).status === 200,
      READY_MS,
    );
  const readStatus = (ingress: string) =>
    reader.run(
      `kubectl --namespace shop get ingress ${ingress} --output 'jsonpath={.status.loadBalancer.ingress[*].ip}'`,
    );
  const evenerPods = () => workloads.readyPods(release.namespace, release.selector);

  before(async () => {
    const image = await findEvenerImage();
    node = await Node.start();
    workloads = new Workloads(node.admin);
    release = new Release("evener", "ingress", node.kubeconfig);
    pair = await makeKeyPair([HOST]);
    reader = await Reader.create(node.kubeconfig, pair.cert);
    await node.importImage(image.archive);
    // There is no registry: the node has already what the documents say has been pushed.
    const { appVersion } = parse(readFileSync(join(CHART_DIR, "Chart.yaml"), "utf8")) as {
      appVersion: string;
    };
    await node.tagImage(`${image.repository}:${image.tag}`, `${REGISTRY}:${appVersion}`);
    const echo = await compileStatic("echo", node.work);
    await node.importImage(await makeScratchImage("echo", echo, ECHO_IMAGE));
  });

  after(async () => {
    await reader?.leave();
    await node?.stop();
  });

  step("a shop, served by ingress-nginx so far", async () => {
    await node.admin.apply(makeNamespace(SHOP), ...makeEcho("web", SHOP, 2), makeDatabase());
    await node.admin.apply(makeSecret("shop-tls", pair, SHOP), makeNginxIngress());
    await reader.run(INSTALL_NGINX);
    await workloads.waitRollout(SHOP, "web", WEB);
  });

  step("lint reads what kubectl says", async () => {
    for (const name of ["readme: lint", "lint: lint", "migration: lint"] as const) {
      const output = await reader.type(name);
      assert.match(output, /^Ingress shop\/web \(class nginx\): served$/m);
      assert.match(output, /shop\.example {2}\/\* {2}-> shop\/web:80 .*bodies up to 64m/);
      assert.match(output, /enable-cors is not supported/);
    }
  });

  step("another engine behind a port, with a kubeconfig", async () => {
    // Inlab's own can't be had everywhere; ours understands the same command line.
    const substitutes = { [UPSTREAM]: join(ROOT, "dist/bin/balance") };
    await reader.typeUntil(
      "upstream engine: run",
      async () => {
        const answer = await eventually(
          "port 5432 leads to a pod",
          async () => await (await fetch("http://127.0.0.1:5432/")).text(),
          READY_MS,
        );
        assert.match(answer, /^pod: web-/m);
      },
      substitutes,
    );
  });

  step("the definitions, before anything else", async () => {
    const output = await reader.type("crds: apply");
    assert.match(output, /^customresourcedefinition\.\S+tlsprofiles\.evener\.io serverside-applied$/m);
    await reader.run("kubectl wait --for=condition=Established crd --all --timeout=60s");
    await eventually("kubectl knows them", async () => {
      await reader.run("kubectl get evener --all-namespaces");
      return true;
    });
    await reader.run("kubectl delete -f charts/evener/crds/");
  });

  step("the chart's page: install, upgrade, uninstall", async () => {
    await reader.type("chart: install");
    await workloads.waitRollout("ingress", "evener", release.selector);
    assert.equal((await evenerPods()).length, 2);
    // What helm made of an older definition is helm's.
    const older = JSON.stringify({ spec: { names: { shortNames: ["older"] } } });
    const patch = `--type=merge --field-manager=helm --patch='${older}'`;
    await reader.run(`kubectl patch crd tlsprofiles.evener.io ${patch}`);
    await reader.type("chart: upgrade");
    const names = await reader.run("kubectl get crd tlsprofiles.evener.io --output yaml");
    assert.match(names, /^ +- tlsprof$/m);
    await workloads.waitRollout("ingress", "evener", release.selector);
    await reader.type("chart: uninstall");
    assert.deepEqual(await workloads.pods("ingress", release.selector), []);
  });

  step("migration: beside ingress-nginx, then a copy of an Ingress is asked for by hand", async (t) => {
    await reader.type("migration: install");
    await workloads.waitRollout("ingress", "evener", release.selector);
    await workloads.assignAddress("ingress", "evener", LB_ADDRESS);
    await node.admin.apply(
      makeIngress("web-copy", HOST, { namespace: SHOP, service: "web", secret: "shop-tls" }),
    );
    await served(LB_ADDRESS, 443);
    const answer = await reader.type("migration: ask");
    assert.match(answer, /^pod: web-/m);
    t.diagnostic(answer.split("\n")[0] ?? "");
    await reader.run("helm uninstall evener --namespace ingress --wait; kubectl delete namespace ingress");
  });

  step("migration: all at once, as they are", async (t) => {
    await reader.type("migration: beside");
    await workloads.waitRollout("ingress", "evener", release.selector);
    await workloads.assignAddress("ingress", "evener", LB_ADDRESS);
    await served(LB_ADDRESS, 443);
    assert.equal(await readStatus("web"), "", "ingress-nginx writes it");
    const load = new Load(target(LB_ADDRESS, 443));
    await reader.type("migration: take over");
    await workloads.waitRollout("ingress", "evener", release.selector);
    await served(LB_ADDRESS, 443);
    await load.stop();
    t.diagnostic(`without an IngressClass meanwhile: ${load.figures}`);
    assert.deepEqual(load.failures, []);
    await eventually("the status is ours", async () => (await readStatus("web")) === LB_ADDRESS, READY_MS);
    await reader.run("helm uninstall evener --namespace ingress --wait; kubectl delete namespace ingress");
    await reader.run("kubectl delete namespace ingress-nginx; kubectl --namespace shop delete ingress web");
  });

  step("getting started: kind's commands, on this node", async () => {
    await reader.type("getting started: kind");
    await served(NODE_ADDRESS, 443);
    await reader.run("helm uninstall evener --namespace ingress --wait; kubectl delete namespace ingress");
  });

  step("getting started: a cloud load balancer", async () => {
    const cloud = eventually(
      "the Service is there",
      async () => {
        await workloads.assignAddress("ingress", "evener", LB_ADDRESS);
        return true;
      },
      READY_MS,
    );
    const [output] = await Promise.all([reader.type("getting started: cloud"), cloud]);
    assert.match(output, new RegExp(`^evener +LoadBalancer +\\S+ +${LB_ADDRESS}`, "m"));
    await served(LB_ADDRESS, 443);
  });

  step("operations: drain a pod in each replica", async () => {
    const [pod] = await workloads.readyPods(SHOP, WEB);
    assert.ok(pod !== undefined);
    await reader.type("operations: drain", { [DOCUMENTED_POD]: `${pod.status.podIP}:8080` });
    for (let i = 0; i < 20; i++) {
      const { text } = await ask(target(LB_ADDRESS, 443));
      assert.match(text, /^pod: web-/m);
      assert.ok(!text.includes(pod.metadata.name), "a drained pod answers");
    }
  });

  step("operations: upgrade, monitoring, a look inside", async () => {
    for (const name of ["operations: upgrade", "operations: back"] as const)
      assert.match(await reader.type(name), /successfully rolled out/);
    await node.admin.apply(...MONITORING_CRDS);
    await reader.run("kubectl wait --for=condition=Established crd --all --timeout=60s");
    await reader.type("operations: metrics");
    await reader.run("kubectl --namespace ingress get servicemonitors.monitoring.coreos.com evener");
    await reader.run("kubectl --namespace ingress get prometheusrules.monitoring.coreos.com evener");
    const output = await reader.type("operations: look");
    assert.match(output, /^Ready +yes$/m);
    assert.ok(output.includes(POOL), output);
    assert.match(output, /^backend = /m, "hitch.conf");
  });

  step("the plugin and its page", async () => {
    const pods = (await evenerPods()).map(({ metadata }) => metadata.name);
    const output = await reader.type("inspection: plugin");
    for (const name of pods) assert.match(output, new RegExp(`^ingress ${name} True$`, "m"));
    assert.ok(output.includes(POOL), output);
    await reader.typeUntil("inspection: page", async () => {
      const page = await eventually(
        "the page is there",
        async () => {
          const response = await fetch("http://localhost:10354/routes");
          return response.status === 200 && (await response.text());
        },
        READY_MS,
      );
      assert.ok(page.includes(HOST), page);
    });
  });

  step("evener ctl in a pod", async () => {
    const [pod] = await workloads.readyPods(SHOP, WEB);
    const address = `${pod?.status.podIP}:8080`;
    const output = await reader.type("ctl: look and change", { [DOCUMENTED_POD]: address });
    assert.ok(output.includes(address), output);
    const pods = await evenerPods();
    await reader.typeUntil("ctl: follow", async (followed) => {
      await eventually(
        "an event is told",
        async () => {
          for (const { metadata } of pods) {
            for (const how of ["disable", "enable"]) {
              const words = `evener ctl channel ${POOL} ${address} ${how}`;
              await reader.run(`kubectl --namespace ingress exec ${metadata.name} -- ${words}`);
            }
          }
          return followed().includes(address);
        },
        READY_MS,
      );
    });
    await eventually("nobody is left following", () => !pods.some(isFollowed), READY_MS);
  });

  step("getting started: PROXY from the load balancer", async () => {
    // The client is the load balancer; another one beside it is nobody's.
    const [balancer, other] = CLIENT_ADDRESSES;
    await reader.type("getting started: PROXY", { "10.0.0.0/8": `${balancer}/32` });
    await workloads.waitRollout("ingress", "evener", release.selector);
    assert.match(await reader.run("kubectl evener status"), /^Ready +yes$/m);
    const url = `--resolve ${HOST}:443:${LB_ADDRESS} https://${HOST}/`;
    const answer = await reader.run(`curl --silent --haproxy-protocol --interface ${balancer} ${url}`);
    assert.match(answer, /^pod: web-/m);
    const bare = target(LB_ADDRESS, 443);
    await assert.rejects(ask({ ...bare, from: balancer }), "its connections begin with a PROXY header");
    assert.equal((await ask({ ...bare, from: other })).status, 200);
    await reader.run("helm uninstall evener --namespace ingress --wait; kubectl delete namespace ingress");
  });

  step("getting started: bare metal", async () => {
    await reader.type("getting started: bare metal");
    await served(NODE_ADDRESS, 8443);
    await eventually(
      "the addresses are in the status",
      async () => (await readStatus("web-copy")) === "192.0.2.10 192.0.2.11",
      READY_MS,
    );
    await reader.run(
      "helm uninstall evener --namespace ingress --wait; kubectl delete namespace ingress shop",
    );
  });

  step("every command that the documents mark as one for a cluster has been typed", async () => {
    assert.deepEqual(reader.left, []);
  });

  step("the node goes without a trace", async () => {
    assert.deepEqual(await node.stop(), []);
  });
});

/** ingress-nginx itself is not there: a release of its name has the IngressClass. */
const INSTALL_NGINX = `
mkdir --parents nginx/templates
echo '{"apiVersion": "v2", "name": "ingress-nginx", "version": "0.0.1"}' >nginx/Chart.yaml
cat >nginx/templates/class.yaml <<END
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: nginx
spec:
  controller: k8s.io/ingress-nginx
END
helm install ingress-nginx ./nginx --namespace ingress-nginx --create-namespace
`;

/** Another port of the same pods. */
function makeDatabase(): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "db", namespace: SHOP },
    spec: { selector: { app: "web" }, ports: [{ name: "db", port: 5432, targetPort: "http" }] },
  };
}

function makeNginxIngress(): Manifest {
  const ingress = makeIngress("web", HOST, { namespace: SHOP, secret: "shop-tls" });
  Object.assign(ingress.spec as object, { ingressClassName: "nginx" });
  Object.assign(ingress.metadata as object, {
    annotations: {
      "nginx.ingress.kubernetes.io/proxy-body-size": "64m",
      "nginx.ingress.kubernetes.io/enable-cors": "true",
    },
  });
  return ingress;
}

/** What `evener ctl follow` leaves in a pod when its terminal is gone. */
function isFollowed({ metadata }: Pod): boolean {
  return listContainers(metadata.uid).some(({ processes }) =>
    processes.some(({ args }) => / ctl follow/.test(args)),
  );
}
