// SPDX-License-Identifier: Apache-2.0
/** `evener render`: manifests in, configuration and status out, nothing started. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildModel } from "../model/build-model.ts";
import { sortProblems } from "../model/problems.ts";
import type { Certificate, ModelOutput, ModelSettings } from "../model/types.ts";
import { renderConfigs } from "../render/render-configs.ts";
import { renderStatus } from "../render/render-status.ts";
import { formatCommand } from "../render/render-upstream.ts";
import { assembleStore } from "../store/assemble-store.ts";
import type { ParsedManifests } from "../store/parse-manifests.ts";
import { readInputs } from "./inputs.ts";

export interface RenderOptions {
  readonly inputs: readonly string[];
  readonly out?: string;
  readonly strict: boolean;
  readonly model: ModelSettings;
}

/**
 * Stands for the certificate that `evener run` generates. A real one would differ each time; its fixed name keeps
 * the output the same.
 */
export const PLACEHOLDER_CERTIFICATE: Certificate = {
  id: "default",
  pem: "",
  hosts: [],
  notAfter: "9999-12-31T23:59:59.000Z",
};

export async function render(options: RenderOptions, now = new Date()): Promise<number> {
  const files = await readInputs(options.inputs);
  const output = renderManifests(files, options.model, now);
  if (options.out === undefined) {
    for (const [name, text] of output.files) process.stdout.write(`==> ${name} <==\n${text}\n`);
  } else {
    await mkdir(options.out, { recursive: true });
    for (const [name, text] of output.files) await writeFile(join(options.out, name), text);
  }
  const leftOut = output.problems.filter((problem) => problem.severity === "error").length;
  if (leftOut > 0) process.stderr.write(`evener: ${leftOut} errors; status.yaml names them\n`);
  return options.strict && leftOut > 0 ? 2 : 0;
}

/** The pure part: parsed manifests → texts by file name. */
export function renderManifests(
  files: readonly ParsedManifests[],
  settings: ModelSettings,
  now: Date,
): ModelOutput & { readonly files: ReadonlyMap<string, string> } {
  const { store, problems } = assembleStore(files);
  const model = buildModel({ store, settings, fallbackCertificate: PLACEHOLDER_CERTIFICATE, now });
  const output = { ...model, problems: sortProblems([...problems, ...model.problems]) };
  const { hitchConf, balanceConf, upstream } = renderConfigs(output.ir);
  return {
    ...output,
    files: new Map([
      ["hitch.conf", hitchConf],
      ["balance.conf", balanceConf],
      ...upstream.map((command) => [`${command.name}.args`, formatCommand(command)] as const),
      ["status.yaml", renderStatus(output)],
    ]),
  };
}
