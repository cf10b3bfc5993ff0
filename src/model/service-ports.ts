// SPDX-License-Identifier: Apache-2.0
/** Ports of Services: found by number or name, and whether they can serve. */
import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import { isPortNumber } from "./names.ts";
import { quote } from "./quote.ts";
import { formatRef, keyOf, refOf } from "./refs.ts";

/** `namespace/service:port`: the name of its pool. */
export function portKey(service: V1Service, port: V1ServicePort): string {
  return `${keyOf(refOf("Service", service))}:${port.port}`;
}

export function findPort(service: V1Service, wanted: string | number): V1ServicePort | undefined {
  return service.spec?.ports?.find(
    (port) =>
      (port.protocol ?? "TCP") === "TCP" &&
      isPortNumber(port.port) &&
      (typeof wanted === "string" ? port.name === wanted : port.port === wanted),
  );
}

export interface ServiceFault {
  readonly reason: string;
  readonly message: string;
}

/** `key` names what was asked for, `then` what becomes of it. */
export function checkService(
  service: V1Service | undefined,
  port: V1ServicePort | undefined,
  key: string,
  wanted: string | number,
  then: string,
): ServiceFault | undefined {
  if (service === undefined) {
    return { reason: "ServiceNotFound", message: `Service ${key} does not exist; ${then}` };
  }
  const name = formatRef(refOf("Service", service));
  if (service.spec?.type === "ExternalName") {
    const why = "is of type ExternalName, which is not supported";
    return { reason: "ExternalNameNotSupported", message: `${name} ${why}; ${then}` };
  }
  if (port === undefined) {
    return {
      reason: "ServicePortNotFound",
      message: `${name} has no TCP port ${quote(wanted)}; ${then}`,
    };
  }
  return undefined;
}
