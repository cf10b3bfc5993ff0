// SPDX-License-Identifier: Apache-2.0
/** All that Hitch is told. Of the inputs to a rebuild, time is the one that changes by itself. */
import type { V1Ingress } from "@kubernetes/client-node";
import { arrangeCertificates, findServed, toCertificate } from "./certificates.ts";
import { selectOwned } from "./ownership.ts";
import type { Report } from "./problems.ts";
import { Stage } from "./stage.ts";
import { type Candidate, collectTls, readCandidate } from "./tls.ts";
import type { Ir, ModelInput, ObjectRef } from "./types.ts";

interface Built {
  readonly hitch: Ir["hitch"];
  /** Between these times the passing of time changes nothing: no certificate becomes valid or expires. */
  readonly from: number;
  readonly until: number;
}

export class TlsBuilder {
  readonly #stage = new Stage<Built>();

  build(ingresses: readonly V1Ingress[], input: ModelInput, report: Report): Ir["hitch"] {
    const { store, settings, fallbackCertificate, now } = input;
    const time = now.getTime();
    const inputs = [ingresses, store.secrets, settings, fallbackCertificate];
    const compute = (found: Report) => buildHitch(ingresses, input, found);
    return this.#stage.run(inputs, report, compute, ({ from, until }) => from <= time && time < until).hitch;
  }
}

function buildHitch(ingresses: readonly V1Ingress[], input: ModelInput, report: Report): Built {
  const { store, settings, now, fallbackCertificate } = input;
  const requests = collectTls(ingresses, store, now, report);
  const defaultCandidate = findDefaultCandidate(input, report);
  const defaultCertificate =
    defaultCandidate === undefined ? fallbackCertificate : toCertificate(defaultCandidate);
  const owned = selectOwned(ingresses, requests, report);
  const certificates = arrangeCertificates(owned, defaultCertificate);
  const looked =
    defaultCandidate === undefined ? requests.candidates : [...requests.candidates, defaultCandidate];
  return {
    hitch: {
      httpsPort: settings.httpsPort,
      workers: settings.workers,
      backendSocket: `${settings.runDir}/balance.sock`,
      certDir: `${settings.runDir}/certs`,
      certificates,
      defaultCertificate,
      served: findServed(requests.claims, certificates, defaultCertificate),
    },
    from: now.getTime(),
    until: findNextTurn(looked, now.getTime()),
  };
}

function findNextTurn(candidates: readonly Candidate[], now: number): number {
  let next = Number.POSITIVE_INFINITY;
  for (const { parsed } of candidates) {
    for (const time of [parsed.notBefore.getTime(), parsed.notAfter.getTime()]) {
      if (time >= now && time < next) next = time;
    }
  }
  return next;
}

function findDefaultCandidate(input: ModelInput, report: Report): Candidate | undefined {
  const key = input.settings.defaultSslCertificate;
  if (key === undefined) return undefined;
  const [namespace = "", name = ""] = key.split("/");
  const ref: ObjectRef = { apiVersion: "v1", kind: "Secret", namespace, name };
  const secret = input.store.secrets.get(key);
  if (secret === undefined) {
    const message = "is named by --default-ssl-certificate and does not exist; a generated one is served";
    report(ref, "warning", "SecretNotFound", message);
    return undefined;
  }
  return readCandidate(secret, ref, "", input.now, report);
}
