// SPDX-License-Identifier: Apache-2.0
/** What a TLSProfile may say for a whole IngressClass. What is absent is left to the flags of the command line. */
import {
  TLS_ALPN_PROTOCOLS,
  TLS_CIPHERS,
  TLS_CIPHERSUITES,
  TLS_CURVES,
  TLS_PROTOCOLS,
} from "../model/tls-settings.ts";
import { ADDRESS_RANGE, HOST, NAMESPACE, OBJECT_NAME, PORT, PORT_NAME, SERVICE_NAME } from "./forms.ts";
import { fields, flag, integer, integerOrText, list, text, type ValueOf, word } from "./schema.ts";

/** A list of words out of a table, each once. */
function choice<const T extends string>(words: readonly T[], doc: string, absent: string) {
  return list(word(words, { doc: "One of them." }), { doc, absent, min: 1, max: words.length, of: "set" });
}

const hsts = fields(
  {
    maxAgeSeconds: integer(
      { min: 1, max: 3_153_600_000 },
      { doc: "How long browsers ask for the host over HTTPS only." },
    ),
    includeSubdomains: flag({ doc: "Also for all hosts below it.", absent: "false" }),
    preload: flag({ doc: "Asks to be put on browsers' lists.", absent: "false" }),
  },
  {
    doc: "Strict-Transport-Security for hosts with a certificate.",
    absent: "the flags --hsts-…",
    required: ["maxAgeSeconds"],
    rules: [
      {
        rule: "!has(self.preload) || !self.preload || (has(self.includeSubdomains) && self.includeSubdomains && self.maxAgeSeconds >= 31536000)",
        message: "preload needs includeSubdomains and a maxAgeSeconds of at least 31536000, a year",
      },
    ],
  },
);

const secretRef = fields(
  {
    namespace: text(NAMESPACE, { doc: "Namespace of the Secret." }),
    name: text(OBJECT_NAME, { doc: "Name of the Secret." }),
  },
  {
    doc: "Secret with the certificate for server names that no other certificate has.",
    absent: "the flag --default-ssl-certificate",
    required: ["namespace", "name"],
  },
);

const tcpService = fields(
  {
    port: integer(PORT, { doc: "Where clients connect." }),
    namespace: text(NAMESPACE, { doc: "Namespace of the Service." }),
    service: text(SERVICE_NAME, { doc: "Name of the Service." }),
    servicePort: integerOrText(PORT, PORT_NAME, { doc: "Number or name of a port of the Service." }),
    tls: word(["none", "terminate"], {
      doc: "`terminate`: clients speak TLS on this port, pods get what is in it.",
      absent: "none",
    }),
    host: text(HOST, {
      doc: "With `terminate`: the only server name that is served.",
      absent: "every server name",
    }),
  },
  {
    doc: "A port that leads to one Service port.",
    required: ["port", "namespace", "service", "servicePort"],
    rules: [
      {
        rule: "!has(self.host) || (has(self.tls) && self.tls == 'terminate')",
        message: "host is for tls: terminate; without TLS there is no server name",
      },
    ],
  },
);

export const TLS_PROFILE = fields(
  {
    protocols: list(word(TLS_PROTOCOLS, { doc: "A version." }), {
      doc: "Protocol versions that clients may speak.",
      absent: "both",
      min: 1,
      max: TLS_PROTOCOLS.length,
      of: "set",
      rules: [{ rule: "self.exists(p, p == 'TLSv1.3')", message: "TLSv1.3 can't be left out" }],
    }),
    ciphers: choice(TLS_CIPHERS, "Ciphers of TLS 1.2, the preferred one first.", "Hitch's list"),
    ciphersuites: choice(TLS_CIPHERSUITES, "Ciphers of TLS 1.3, the preferred one first.", "OpenSSL's list"),
    curves: choice(TLS_CURVES, "Groups for the key exchange, the preferred one first.", "OpenSSL's list"),
    preferServerCiphers: flag({
      doc: "The order above counts, not the client's.",
      absent: "the client's order counts",
    }),
    alpn: choice(
      TLS_ALPN_PROTOCOLS,
      "Protocols offered to clients, the preferred one first. The HTTP lane speaks HTTP/1.1 only.",
      "the flag --alpn",
    ),
    sessionTickets: flag({
      doc: "Session tickets; Hitch always has them.",
      absent: "true",
      rules: [{ rule: "self", message: "Hitch can't do without session tickets: only true is possible" }],
    }),
    ocspStapling: flag({ doc: "OCSP answers are fetched and stapled.", absent: "false" }),
    hsts,
    defaultCertificate: secretRef,
    strictSni: flag({
      doc: "Handshakes for a server name that no certificate has are refused.",
      absent: "they get the default certificate",
    }),
    workers: integer(
      { min: 1, max: 64 },
      {
        doc: "Worker processes of Hitch and Balance each; Balance's change when Evener starts again.",
        absent: "the flag --workers",
      },
    ),
    trustedProxies: list(text(ADDRESS_RANGE, { doc: "An address or a range." }), {
      doc: "Load balancers and proxies in front, whose PROXY header is believed, on the TLS port too, and whose X-Forwarded-* fields are.",
      absent: "the flag --trusted-proxies",
      max: 64,
      of: "set",
    }),
    extraTlsPorts: list(integer(PORT, { doc: "A port." }), {
      doc: "Ports that do what the TLS port does.",
      max: 16,
      of: "set",
    }),
    tcpServices: list(tcpService, {
      doc: "Ports of their own for Services that don't speak HTTP.",
      max: 64,
      rules: [
        {
          rule: "self.all(a, self.exists_one(b, a.port == b.port))",
          message: "two TCP services can't have the same port",
        },
      ],
    }),
  },
  {
    doc: "What is wanted.",
    rules: [
      {
        rule: "!has(self.tcpServices) || !has(self.extraTlsPorts) || self.tcpServices.all(s, !(s.port in self.extraTlsPorts))",
        message: "a port can't be in extraTlsPorts and in tcpServices",
      },
    ],
  },
);

export type TlsProfileSpec = ValueOf<typeof TLS_PROFILE>;
