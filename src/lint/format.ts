// SPDX-License-Identifier: Apache-2.0
/** A lint report as people read it. Everything in it that a user wrote has been checked or quoted by the model. */
import { quote } from "../model/quote.ts";
import type { Finding, LintedIngress, LintedPath, LintReport, Verdict } from "./lint.ts";

const VERDICTS: Readonly<Record<Verdict, string>> = {
  served: "served",
  partly: "served, but not as it says",
  closed: "closed: answers 403",
  "left-out": "left out: nothing of it is served",
  "other-class": "not looked at",
};

export function formatReport(report: LintReport): string {
  const blocks = report.ingresses.map(formatIngress);
  if (report.policies.length > 0) blocks.push(report.policies.map(formatPolicy).join(""));
  if (report.others.length > 0) {
    const lines = report.others.map((finding) => formatFinding(finding, `${finding.object}: `));
    blocks.push(`Other objects\n${lines.join("")}`);
  }
  blocks.push(summarise(report));
  return blocks.join("\n");
}

function formatIngress(ingress: LintedIngress): string {
  const { name, verdict, paths, tls, findings } = ingress;
  const ofClass = ingress.class === "" ? "" : ` (class ${plain(ingress.class)})`;
  return [
    `Ingress ${name}${ofClass}: ${VERDICTS[verdict]}\n`,
    ...formatTable(paths),
    ...tls.map(({ host, secret }) => `  TLS ${host}: ${secret}\n`),
    ...findings.map((finding) => formatFinding(finding)),
  ].join("");
}

function formatTable(paths: readonly LintedPath[]): readonly string[] {
  const rows = paths.map(({ host, path, lane, backend, served, how }) => [
    host === "*" ? "(any host)" : host,
    lane === "http" ? path : "(TCP)",
    `-> ${served ? (backend ?? "redirect") : how.length > 0 ? "closed" : "not served"}`,
    how.join("; "),
  ]);
  const widths = [0, 1, 2].map((i) => Math.max(0, ...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) => {
    const cells = row.map((cell, i) => cell.padEnd(widths[i] ?? 0));
    return `  ${cells.join("  ").trimEnd()}\n`;
  });
}

function formatFinding({ severity, reason, field, message }: Finding, before = ""): string {
  // Messages about an annotation begin with its name.
  const subject = /\[(.*)\]$/.exec(field ?? "")?.[1] ?? field;
  const isNamed = field === undefined || message.startsWith(field) || message.startsWith(subject ?? "");
  const where = isNamed ? "" : `${field}: `;
  return `  ${severity === "error" ? "ERROR" : "warn "} ${reason}: ${before}${where}${message}\n`;
}

function formatPolicy({ object, conditions }: LintReport["policies"][number]): string {
  const programmed = conditions.find(({ type }) => type === "Programmed");
  const state = programmed?.status === "True" ? "in effect" : "not in effect";
  const why = programmed?.reason === "Programmed" ? "" : `: ${programmed?.message ?? ""}`;
  return `${object}: ${state}${why}\n`;
}

function summarise({ ingresses, assumed, errors, warnings }: LintReport): string {
  const count = (verdict: Verdict) => ingresses.filter((one) => one.verdict === verdict).length;
  const counts = (Object.keys(VERDICTS) as Verdict[])
    .filter((verdict) => count(verdict) > 0)
    .map((verdict) => `${count(verdict)} ${verdict}`);
  const notes =
    assumed.length === 0
      ? ""
      : `No ${assumed.join(", no ")} among the manifests: those that are named are taken to be there.\n`;
  return `${notes}${plural(ingresses.length, "Ingress", "Ingresses")} (${counts.join(", ") || "none"}), ${plural(errors, "error")}, ${plural(warnings, "warning")}\n`;
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

/** A class name comes from the object as it is. */
function plain(text: string): string {
  return /^[A-Za-z0-9._-]{1,253}$/.test(text) ? text : quote(text);
}
