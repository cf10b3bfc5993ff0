// SPDX-License-Identifier: Apache-2.0
/** Ports whose connections all go to one Service port. */
import type { Backends } from "./backends.ts";
import type { Report } from "./problems.ts";
import type { TcpService } from "./tls-settings.ts";
import type { Listener, ModelSettings, ObjectRef, Route } from "./types.ts";

/** A port with its pool. */
export interface TcpPort {
  readonly port: number;
  readonly pool: string;
  readonly service: ObjectRef;
}

/** Name of the port's listener. */
export function nameListener(port: number): string {
  return `tcp-${port}`;
}

/** Where it is said, for problems. */
export function nameField({ port }: { readonly port: number }): string {
  return `tcpServices.${port}`;
}

/** Sorted by port. A Service that is missing has an empty pool: its port is open, and connections are closed. */
export function resolveTcpServices(
  services: readonly TcpService[],
  backends: Backends,
  report: Report,
): readonly TcpPort[] {
  const ports: TcpPort[] = [];
  for (const one of [...services].sort((a, b) => a.port - b.port)) {
    const ref: ObjectRef = {
      apiVersion: "v1",
      kind: "Service",
      namespace: one.namespace,
      name: one.service,
    };
    if (one.tls !== "none") {
      const message = `port ${one.port} would have to terminate TLS, which is not there yet; it is left out`;
      report(ref, "error", "TcpServiceNotSupported", message, nameField(one));
      continue;
    }
    const port =
      typeof one.servicePort === "number" ? { number: one.servicePort } : { name: one.servicePort };
    const pool = backends.resolve({ service: { name: one.service, port } }, ref, nameField(one), {});
    if (pool !== undefined) ports.push({ port: one.port, pool, service: ref });
  }
  return ports;
}

export function listTcpListeners(
  ports: readonly TcpPort[],
  { useProxyProtocol }: ModelSettings,
): readonly Listener[] {
  return ports.map(({ port }) => ({
    name: nameListener(port),
    address: `tcp:[::]:${port}`,
    proxy: useProxyProtocol ? "any" : "none",
    trustedOnly: useProxyProtocol,
  }));
}

export function listTcpRoutes(ports: readonly TcpPort[]): readonly Route[] {
  return ports.map(({ port, pool }) => ({ listener: nameListener(port), host: "*", pool }));
}
