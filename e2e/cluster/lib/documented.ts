// SPDX-License-Identifier: Apache-2.0
/**
 * The fences `sh cluster` of the documents, each by its document and how it begins. documents.test.ts types all of them;
 * test/docs/commands.test.ts sees that there is none beside them.
 */
export const DOCUMENTED = {
  "readme: lint": ["README.md", "kubectl get ingress -A"],
  "lint: lint": ["docs/lint.md", "kubectl get ingress --all-namespaces"],
  "migration: lint": ["docs/migration-from-ingress-nginx.md", "kubectl get ingress --all-namespaces"],
  "migration: install": [
    "docs/migration-from-ingress-nginx.md",
    "helm install evener",
    "--create-namespace --set image.repository=registry.example/evener\n",
  ],
  "migration: ask": ["docs/migration-from-ingress-nginx.md", "curl --resolve"],
  "migration: beside": [
    "docs/migration-from-ingress-nginx.md",
    "helm install evener",
    "k8s.io/ingress-nginx",
  ],
  "migration: take over": ["docs/migration-from-ingress-nginx.md", "helm uninstall ingress-nginx"],
  "crds: apply": ["docs/crds.md", "kubectl apply"],
  "upstream engine: run": ["docs/upstream-engine.md", "evener run"],
  "chart: install": ["docs/chart.md", "helm install evener"],
  "chart: upgrade": ["docs/chart.md", "kubectl apply"],
  "chart: uninstall": ["docs/chart.md", "kubectl --namespace ingress scale"],
  "getting started: kind": ["docs/getting-started.md", "kubectl create namespace ingress", "hostPort"],
  "getting started: cloud": ["docs/getting-started.md", "helm install evener"],
  "getting started: PROXY": ["docs/getting-started.md", "helm upgrade evener"],
  "getting started: bare metal": [
    "docs/getting-started.md",
    "kubectl create namespace ingress",
    "hostNetwork",
  ],
  "operations: drain": ["docs/operations.md", "for pod in"],
  "operations: upgrade": ["docs/operations.md", "kubectl apply"],
  "operations: back": ["docs/operations.md", "helm rollback"],
  "operations: metrics": ["docs/operations.md", "helm upgrade evener"],
  "operations: look": ["docs/operations.md", "kubectl --namespace ingress exec"],
  "inspection: plugin": ["docs/inspection.md", "kubectl evener pods"],
  "inspection: page": ["docs/inspection.md", "helm upgrade evener"],
  "ctl: look and change": ["docs/ctl.md", "evener ctl status"],
  "ctl: follow": ["docs/ctl.md", "evener ctl follow"],
} as const satisfies Record<string, readonly [path: string, begins: string, contains?: string]>;

export type DocumentedName = keyof typeof DOCUMENTED;

interface Located {
  readonly path: string;
  readonly fence: { readonly text: string };
}

/** The only fence that is meant; throws where there is none, or more than one. */
export function findDocumented<T extends Located>(fences: readonly T[], name: DocumentedName): T {
  const [path, begins, contains = ""] = DOCUMENTED[name] as readonly [string, string, string?];
  const found = fences.filter(
    (one) => one.path === path && one.fence.text.startsWith(begins) && one.fence.text.includes(contains),
  );
  const [only] = found;
  if (found.length !== 1 || only === undefined) {
    throw new Error(`${path} has ${found.length} fences "sh cluster" that are "${name}": ${begins}`);
  }
  return only;
}
