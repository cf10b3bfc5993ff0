// SPDX-License-Identifier: Apache-2.0
/** Whose clients have to show a certificate. What can't be read closes the Ingress: it would let everybody in. */
import { isDnsLabel, isDnsSubdomain } from "../names.ts";
import { annotation } from "./spec.ts";
import { accept, parseBoolean, refuse } from "./values.ts";

export const CLIENT_CERTIFICATES = {
  authTlsSecret: annotation<string>({
    name: "auth-tls-secret",
    nginx: true,
    type: "NAMESPACE/NAME or NAME of a Secret of the same namespace",
    doc: "clients show a certificate of the CA in `ca.crt`, which is not in a list of `ca.crl`",
    onFault: "close",
    parse: (text) => {
      const parts = text.split("/");
      const name = parts.at(-1) ?? "";
      const isName = isDnsSubdomain(name) && (parts.length === 1 || isDnsLabel(parts[0] ?? ""));
      return isName && parts.length <= 2 ? accept(text) : refuse("is no NAMESPACE/NAME of a Secret");
    },
  }),
  authTlsVerify: annotation<"on" | "optional" | "off">({
    name: "auth-tls-verify-client",
    nginx: true,
    type: "on, optional or off",
    doc: "`optional`: who shows no certificate is let in too (default on)",
    onFault: "close",
    parse: (text) => {
      const word = text.toLowerCase();
      if (word === "on" || word === "optional" || word === "off") return accept(word);
      if (word === "optional_no_ca") {
        return refuse("can't be had: Hitch ends a handshake whose certificate it can't verify");
      }
      return refuse("is none of on, optional, off");
    },
  }),
  authTlsPass: annotation({
    name: "auth-tls-pass-certificate-to-upstream",
    nginx: true,
    type: "true or false",
    doc: "the pod gets the certificate too, in `ssl-client-cert` (default false)",
    onFault: "ignore",
    parse: parseBoolean,
  }),
};
