// SPDX-License-Identifier: Apache-2.0
/**
 * Nobody looks into a relayed connection: whether its client had to show a certificate, and did, is checked per request. So a host that
 * asks for one is not relayed. Hitch alone would not do: a session of another host can be resumed under this one's name.
 */
import type { Claim } from "./claims.ts";
import type { ClientPlan } from "./client-demands.ts";
import type { Lanes } from "./lanes.ts";
import type { Refusal } from "./policy-status.ts";
import type { Report } from "./problems.ts";

export interface Relayed {
  readonly lanes: Lanes;
  /** Why a host's demand can't be carried out, by host. */
  readonly refused: ReadonlyMap<string, Refusal>;
}

export function leaveOutDemanding(lanes: Lanes, clientsOf: ClientPlan["clientsOf"], report: Report): Relayed {
  const refused = new Map<string, Refusal>();
  const keep = (claims: readonly Claim[]) =>
    claims.filter(({ host, ingress, ref, field }) => {
      if (clientsOf(host, ingress) === undefined) return true;
      const reason = "ClientCertificateNotPossible";
      const message = `host ${host} asks for client certificates, which are not looked at in relayed connections; it is left out`;
      report(ref, "error", reason, message, field);
      refused.set(host, { reason, message });
      return false;
    });
  const { http, tcp, passthrough, port } = lanes;
  return { lanes: { http, tcp: keep(tcp), passthrough: keep(passthrough), port: keep(port) }, refused };
}
