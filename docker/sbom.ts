// SPDX-License-Identifier: Apache-2.0
/** sbom.ts ARCH LOCK: the image's SPDX 2.3 document on stdout; the same inputs give the same bytes. */
import { createHash } from "node:crypto";
import { type Arch, type Component, listComponents, VERSION } from "./components.ts";

const [arch = "amd64", lock] = process.argv.slice(2) as [Arch?, string?];
const components = await listComponents(arch, lock);
const created = new Date(Number(process.env.SOURCE_DATE_EPOCH ?? 0) * 1000)
  .toISOString()
  .replace(".000Z", "Z");

const packages = [
  {
    SPDXID: "SPDXRef-evener",
    name: "evener",
    versionInfo: VERSION,
    supplier: "NOASSERTION",
    downloadLocation: "NOASSERTION",
    filesAnalyzed: false,
    licenseConcluded: "Apache-2.0",
    licenseDeclared: "Apache-2.0",
    copyrightText: "NOASSERTION",
    primaryPackagePurpose: "CONTAINER",
    externalRefs: [purlRef(`pkg:oci/evener?arch=${arch}&tag=${VERSION}`)],
  },
  ...components.map(describe),
];
const relationships = [
  relate("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-evener"),
  ...components.map((component) => relate("SPDXRef-evener", "CONTAINS", identify(component))),
];
const digest = createHash("sha256")
  .update(JSON.stringify([created, packages]))
  .digest("hex");
const document = {
  spdxVersion: "SPDX-2.3",
  dataLicense: "CC0-1.0",
  SPDXID: "SPDXRef-DOCUMENT",
  name: `evener-${VERSION}-linux-${arch}`,
  documentNamespace: `https://evener.io/spdx/evener-${VERSION}-linux-${arch}-${digest.slice(0, 32)}`,
  creationInfo: { created, creators: ["Tool: evener-docker/sbom.ts"] },
  packages,
  relationships,
};
process.stdout.write(`${JSON.stringify(document, undefined, 1)}\n`);

/** With the version: the bundle may hold two of one package. */
function identify({ group, name, version }: Component): string {
  return `SPDXRef-${group}-${`${name}-${version}`.replaceAll(/[^A-Za-z0-9.-]+/g, "-").replace(/^-/, "")}`;
}

function describe(component: Component) {
  const { name, version, licence, purl, url, checksum, note } = component;
  return {
    SPDXID: identify(component),
    name,
    versionInfo: version,
    supplier: "NOASSERTION",
    downloadLocation: url ?? "NOASSERTION",
    filesAnalyzed: false,
    ...(checksum === undefined
      ? {}
      : { checksums: [{ algorithm: checksum.algorithm, checksumValue: checksum.hex }] }),
    licenseConcluded: "NOASSERTION",
    licenseDeclared: licence,
    copyrightText: "NOASSERTION",
    externalRefs: [purlRef(purl)],
    ...(note === undefined ? {} : { comment: note }),
  };
}

function purlRef(purl: string) {
  return { referenceCategory: "PACKAGE-MANAGER", referenceType: "purl", referenceLocator: purl };
}

function relate(from: string, relationshipType: string, to: string) {
  return { spdxElementId: from, relationshipType, relatedSpdxElement: to };
}
