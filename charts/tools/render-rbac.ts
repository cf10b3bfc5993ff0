// SPDX-License-Identifier: Apache-2.0
/**
 * The permissions that the chart gives with some values, as objects. End-to-end tests create exactly these, and leave out one
 * rule after the other to show that each is needed. As a program: prints them as YAML, values on standard input.
 */
import { text } from "node:stream/consumers";
import { parse, stringify } from "yaml";
import { type KubeObject, type RenderOptions, renderChart, type Values } from "./helm.ts";

export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly resourceNames?: readonly string[];
  readonly verbs: readonly string[];
}

export interface RoleObject extends KubeObject {
  readonly kind: "Role" | "ClusterRole";
  readonly rules: readonly PolicyRule[];
}

export interface Rbac {
  readonly serviceAccounts: readonly KubeObject[];
  readonly roles: readonly RoleObject[];
  readonly bindings: readonly KubeObject[];
}

/** One rule of one role: what a test takes away. */
export interface RuleRef {
  readonly role: RoleObject;
  readonly index: number;
  readonly rule: PolicyRule;
}

export async function renderRbac(values: Values = {}, options: RenderOptions = {}): Promise<Rbac> {
  const objects = await renderChart(values, options);
  const ofKind = (...kinds: readonly string[]) => objects.filter(({ kind }) => kinds.includes(kind));
  return {
    serviceAccounts: ofKind("ServiceAccount"),
    roles: ofKind("Role", "ClusterRole") as readonly KubeObject[] as readonly RoleObject[],
    bindings: ofKind("RoleBinding", "ClusterRoleBinding"),
  };
}

export function listRules({ roles }: Rbac): RuleRef[] {
  return roles.flatMap((role) => role.rules.map((rule, index) => ({ role, index, rule })));
}

/** The same permissions without one rule. */
export function withoutRule(rbac: Rbac, { role, index }: RuleRef): Rbac {
  return {
    ...rbac,
    roles: rbac.roles.map((one) =>
      one === role ? { ...one, rules: one.rules.filter((_, at) => at !== index) } : one,
    ),
  };
}

if (import.meta.main) {
  const values = process.stdin.isTTY ? {} : ((parse(await text(process.stdin)) ?? {}) as Values);
  const [release = "evener", namespace = "ingress"] = process.argv.slice(2);
  const { serviceAccounts, roles, bindings } = await renderRbac(values, { release, namespace });
  for (const object of [...serviceAccounts, ...roles, ...bindings])
    process.stdout.write(`---\n${stringify(object)}`);
}
