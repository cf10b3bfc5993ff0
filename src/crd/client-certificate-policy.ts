// SPDX-License-Identifier: Apache-2.0
/** What a ClientCertificatePolicy may say about Ingresses or hosts of its namespace. */
import { HOST, OBJECT_NAME } from "./forms.ts";
import { fields, flag, list, oneOf, text, type ValueOf, word } from "./schema.ts";

export const INGRESS_GROUP = "networking.k8s.io";

const targetRef = fields(
  {
    group: word([INGRESS_GROUP], { doc: "API group." }),
    kind: word(["Ingress"], { doc: "Always Ingress." }),
    name: text(OBJECT_NAME, { doc: "Name of an Ingress of the same namespace." }),
  },
  { doc: "An Ingress, with all its hosts.", required: ["name"] },
);

const dataRef = (kind: string) =>
  fields(
    {
      name: text(OBJECT_NAME, { doc: `Name of a ${kind} of the same namespace.` }),
    },
    {
      doc: `A ${kind} with certificates of authorities in ca.crt and, where there are, revocation lists in ca.crl, both as PEM.`,
      required: ["name"],
    },
  );

const ca = fields(
  { secret: dataRef("Secret"), configMap: dataRef("ConfigMap") },
  {
    doc: "The authorities that clients' certificates have to come from.",
    rules: [oneOf(["secret", "configMap"], "exactly")],
  },
);

export const CLIENT_CERTIFICATE_POLICY = fields(
  {
    targetRefs: list(targetRef, {
      doc: "The Ingresses whose hosts it is about.",
      min: 1,
      max: 16,
      rules: [
        {
          rule: "self.all(a, self.exists_one(b, a.name == b.name))",
          message: "the same Ingress must not be named twice",
        },
      ],
    }),
    hosts: list(text(HOST, { doc: "A host of an Ingress of the same namespace." }), {
      doc: "The hosts that it is about, each one of some Ingress of the same namespace.",
      min: 1,
      max: 64,
      of: "set",
    }),
    ca,
    mode: word(["required", "optional"], {
      doc: "Whether a client without a certificate is refused. A certificate that is shown has to be good in any case.",
      absent: "required",
    }),
    forwardCertificate: flag({
      doc: "Pods get the certificate itself in the field ssl-client-cert, besides ssl-client-verify and ssl-client-subject-dn.",
      absent: "false",
    }),
  },
  {
    doc: "What is wanted.",
    required: ["ca"],
    rules: [oneOf(["targetRefs", "hosts"], "exactly")],
  },
);

export type ClientCertificatePolicySpec = ValueOf<typeof CLIENT_CERTIFICATE_POLICY>;
