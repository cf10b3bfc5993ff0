// SPDX-License-Identifier: Apache-2.0
/** The annotations of one Ingress → its options. Each one that has no effect is told about. */
import type { V1Ingress } from "@kubernetes/client-node";
import type { SettingsLayer } from "../backend-settings.ts";
import type { Report } from "../problems.ts";
import { quote } from "../quote.ts";
import type { Lane, ObjectRef, PolicyLane, Redirect } from "../types.ts";
import { toBackendLayer } from "./backend-layer.ts";
import { fieldOf, findValues, NGINX, OURS, type Tell } from "./find-values.ts";
import { PLAIN_PODS } from "./lane.ts";
import { DEFAULT_OPTIONS, type Fate, type IngressOptions, RELAYED_OPTIONS } from "./options.ts";
import type { FaultEffect } from "./spec.ts";
import type { AnnotationValues } from "./table.ts";
import { limitToTcpLane } from "./tcp-lane.ts";
import { asksForNothing, isSnippet, UNSUPPORTED } from "./unsupported.ts";

/** `asked` is the lane that a policy asks for: it stands in the place of the annotation. */
export function readAnnotations(
  ingress: V1Ingress,
  ref: ObjectRef,
  report: Report,
  asked?: PolicyLane,
): IngressOptions {
  const annotations = ingress.metadata?.annotations ?? {};
  const names = Object.keys(annotations).filter(isOurs);
  if (names.length === 0) return asked === "tcp" ? RELAYED_OPTIONS : DEFAULT_OPTIONS;
  let fate: Fate = "served";
  // Read before the others: a relayed connection can't be told that it is not welcome.
  const isTcp = isRelayed(annotations, asked);
  const tell: Tell = (name, wanted, reason, message) => {
    const effect = wanted === "close" && isTcp ? "refuse" : wanted;
    if (effect === "refuse") fate = "refused";
    else if (effect === "close" && fate === "served") fate = "closed";
    const text = `${message}; ${CONSEQUENCES[effect]}`;
    report(ref, effect === "ignore" ? "warning" : "error", reason, text, fieldOf(name));
  };

  const { values, nameOf } = findValues(annotations, names, {
    ref,
    report,
    tell,
    belongs: () => true,
    tellOther: (name, text) => tellUnknown(name, text, ref, report, tell),
  });
  // Who passes TLS through has pods that speak it.
  if (values.backendProtocol === "tls" && values.sslPassthrough !== true) {
    const name = nameOf("backendProtocol");
    const message = `${name}: ${quote(annotations[name]?.trim() ?? "")} ${PLAIN_PODS}`;
    tell(name, "refuse", "BackendProtocolNotSupported", message);
  }
  if (values.backendProtocol === "grpc" && !isTcp) {
    const message = "backend-protocol GRPC needs evener.io/lane: tcp and --alpn h2,http/1.1";
    tell(nameOf("backendProtocol"), "refuse", "BackendProtocolNotSupported", message);
  }
  const verify = values.authTlsVerify;
  const saysWhose = values.authTlsSecret !== undefined || nameOf("authTlsSecret") !== "authTlsSecret";
  if (!saysWhose && verify !== undefined && verify !== "off") {
    const message = "auth-tls-verify-client needs auth-tls-secret, which says by whose certificates";
    tell(nameOf("authTlsVerify"), "close", "AnnotationInvalid", message);
  }
  const told = isTcp ? limitToTcpLane(values, nameOf, tell) : values;
  const rewrite = nameOf("rewriteTarget");
  if (told.rewriteTarget !== undefined && differsFromNginx(ingress, rewrite)) {
    const message = "what follows a matched prefix is kept here, while ingress-nginx drops it";
    report(ref, "warning", "AnnotationDiffers", message, fieldOf(rewrite));
  }
  const backend = toBackendLayer(told, (key, message) =>
    tell(nameOf(key), "ignore", "AnnotationIgnored", `${nameOf(key)} ${message}`),
  );
  return join(told, chooseLane(told, asked), fate, backend);
}

function isRelayed(annotations: Readonly<Record<string, string>>, asked: PolicyLane | undefined): boolean {
  const saysYes = (name: string) => ["true", "1"].includes(annotations[name]?.trim().toLowerCase() ?? "");
  return (
    (asked ?? annotations[`${OURS}lane`]?.trim().toLowerCase()) === "tcp" ||
    annotations[`${OURS}tcp-service-port`] !== undefined ||
    saysYes(`${OURS}ssl-passthrough`) ||
    saysYes(`${NGINX}ssl-passthrough`)
  );
}

function chooseLane(
  { lane, sslPassthrough, tcpServicePort }: AnnotationValues,
  asked: PolicyLane | undefined,
): Lane {
  if (tcpServicePort !== undefined) return "port";
  return sslPassthrough === true ? "passthrough" : (asked ?? lane ?? "http");
}

const CONSEQUENCES: Readonly<Record<FaultEffect, string>> = {
  ignore: "it has no effect",
  refuse: "the rules of this Ingress are left out",
  close: "until that is changed the rules of this Ingress answer 403",
};

function isOurs(name: string): boolean {
  return name.startsWith(OURS) || name.startsWith(NGINX);
}

function tellUnknown(name: string, text: string, ref: ObjectRef, report: Report, tell: Tell): void {
  const suffix = name.slice(name.indexOf("/") + 1);
  if (isSnippet(suffix)) {
    const message = `${quote(name)} carries configuration text, which is never taken; the Ingress is served without it`;
    report(ref, "error", "SnippetRefused", message, fieldOf(name));
    return;
  }
  const known = UNSUPPORTED.get(suffix);
  if (known === undefined) {
    tell(name, "ignore", "AnnotationUnknown", `no annotation is named ${quote(name)}`);
  } else if (text !== "" && !asksForNothing(suffix, text)) {
    tell(name, known.effect, "AnnotationNotSupported", `${name} is not supported (${known.instead})`);
  }
}

/** For a prefix ingress-nginx puts the target in the place of the whole path. */
function differsFromNginx(ingress: V1Ingress, name: string): boolean {
  const paths = (ingress.spec?.rules ?? []).flatMap((rule) => rule.http?.paths ?? []);
  return name.startsWith(NGINX) && paths.some((path) => path.pathType !== "Exact");
}

function join(values: AnnotationValues, lane: Lane, fate: Fate, backend: SettingsLayer): IngressOptions {
  return {
    lane,
    tcpPort: values.tcpServicePort,
    fate,
    sslRedirect: values.sslRedirect ?? DEFAULT_OPTIONS.sslRedirect,
    forceSslRedirect: values.forceSslRedirect ?? DEFAULT_OPTIONS.forceSslRedirect,
    redirect: chooseRedirect(values),
    appRoot: values.appRoot,
    rewrite: values.rewriteTarget,
    allow: values.allow ?? [],
    deny: values.deny ?? [],
    limitConnections: values.limitConnections ?? 0,
    maxBodyBytes: values.maxBody ?? 0,
    backend,
    clientCertificate: readWish(values),
  };
}

function readWish({
  authTlsSecret,
  authTlsVerify,
  authTlsPass,
}: AnnotationValues): IngressOptions["clientCertificate"] {
  if (authTlsSecret === undefined || authTlsVerify === "off") return undefined;
  const mode = authTlsVerify === "optional" ? "optional" : "required";
  return { secret: authTlsSecret, mode, certificate: authTlsPass ?? false };
}

/** Of both kinds the temporal one wins, as in ingress-nginx. */
function chooseRedirect(values: AnnotationValues): Redirect | undefined {
  if (values.temporalRedirect !== undefined) {
    return { code: values.temporalRedirectCode ?? 302, location: values.temporalRedirect };
  }
  if (values.permanentRedirect === undefined) return undefined;
  return { code: values.permanentRedirectCode ?? 301, location: values.permanentRedirect };
}
