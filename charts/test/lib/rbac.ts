// SPDX-License-Identifier: Apache-2.0
/** A small reading of RBAC: who may do what, where. */

import type { Values } from "../../tools/helm.ts";
import { type Rbac, renderRbac } from "../../tools/render-rbac.ts";

/** Lines of `NAMESPACE: VERBS RESOURCE.GROUP [NAMES]`; `*` for all namespaces. */
export async function listGrants(values: Values): Promise<string[]> {
  const rbac = await renderRbac(values);
  return rbac.bindings.flatMap((binding) => {
    const namespace = binding.metadata.namespace ?? "*";
    return findRules(rbac, binding).map(({ apiGroups, resources, resourceNames, verbs }) => {
      const names = resourceNames === undefined ? "" : ` [${resourceNames.join(" ")}]`;
      const group = apiGroups[0] === "" ? "" : `.${apiGroups[0]}`;
      return `${namespace}: ${verbs.join(" ")} ${resources.join(" ")}${group}${names}`;
    });
  });
}

function findRules({ roles }: Rbac, binding: Rbac["bindings"][number]) {
  const { kind, name } = binding.roleRef as { kind: string; name: string };
  const { namespace } = binding.metadata;
  const role = roles.find(
    (one) =>
      one.kind === kind &&
      one.metadata.name === name &&
      (kind === "ClusterRole" || one.metadata.namespace === namespace),
  );
  if (role === undefined) throw new Error(`${kind} ${name} is bound and not there`);
  return role.rules;
}
