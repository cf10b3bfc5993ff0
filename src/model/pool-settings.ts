// SPDX-License-Identifier: Apache-2.0
/** Who says what about the pools of a Service: class, Ingress, the Service itself, a policy; the later wins. */
import type { V1Service, V1ServicePort } from "@kubernetes/client-node";
import { NOTHING_SAID } from "./annotations/backend-layer.ts";
import { readServiceAnnotations } from "./annotations/read-service-annotations.ts";
import type { BackendPolicies } from "./backend-policies.ts";
import { type BackendSettings, mergeSettings, type SettingsLayer } from "./backend-settings.ts";
import { nameSuffix } from "./pool-names.ts";
import type { Report } from "./problems.ts";
import { refOf } from "./refs.ts";
import type { ObjectRef, PolicyLane } from "./types.ts";

/** An object's say, and where in it the backups stand. */
export interface Saying {
  readonly ref: ObjectRef;
  readonly layer: SettingsLayer;
  /** How connections for the Service are to be taken, where a policy says so. */
  readonly lane?: PolicyLane;
  /** Absent when what is wrong with them has been told. */
  readonly backupsField?: string;
}

export const BACKUP_ANNOTATION = "metadata.annotations[evener.io/backup-service]";

export interface PoolSettings {
  readonly settings: BackendSettings;
  /** What the Ingress adds to the pool's name. */
  readonly suffix: string;
  /** Who names the backups. */
  readonly backupsFrom: Saying;
}

/** `said` is what the Ingress says. Wrong annotations of Services are told to `report`, once for each Service. */
export type ReadSettings = (
  service: V1Service | undefined,
  port: V1ServicePort | undefined,
  ingress: ObjectRef,
  said: SettingsLayer,
) => PoolSettings;

interface ServiceSays {
  /** The Service and its policy, as far as they say anything. */
  readonly sayings: readonly Saying[];
  readonly layers: readonly SettingsLayer[];
  /** What its pools have when no Ingress asks for anything else. */
  readonly base: BackendSettings;
}

export function createSettingsReader(policies: BackendPolicies, report: Report): ReadSettings {
  const ofServices = new Map<V1Service, readonly Saying[]>();
  const ofPorts = new Map<V1Service | V1ServicePort, ServiceSays>();
  const stranger = joinSayings([]);

  function readService(service: V1Service): readonly Saying[] {
    let own = ofServices.get(service);
    if (own === undefined) {
      const ref = refOf("Service", service);
      const layer = readServiceAnnotations(service, ref, report);
      own = layer === NOTHING_SAID ? [] : [{ ref, layer, backupsField: BACKUP_ANNOTATION }];
      ofServices.set(service, own);
    }
    return own;
  }

  function listen(service: V1Service | undefined, port: V1ServicePort | undefined): ServiceSays {
    if (service === undefined) return stranger;
    let says = ofPorts.get(port ?? service);
    if (says === undefined) {
      const policy = policies.isEmpty ? undefined : policies.find(service, port);
      const sayings = [...readService(service), ...(policy === undefined ? [] : [policy])];
      says = sayings.length === 0 ? stranger : joinSayings(sayings);
      ofPorts.set(port ?? service, says);
    }
    return says;
  }

  return (service, port, ingress, said) => {
    const { sayings, layers, base } = listen(service, port);
    const asked = said === NOTHING_SAID ? base : mergeSettings(said, ...layers);
    const suffix = nameSuffix(asked, base);
    return {
      // Without a suffix they are the same object for all who share the pool.
      settings: suffix === "" ? base : asked,
      suffix,
      backupsFrom: sayings.findLast(({ layer }) => layer.backups !== undefined) ?? {
        ref: ingress,
        layer: said,
        backupsField: BACKUP_ANNOTATION,
      },
    };
  };
}

function joinSayings(sayings: readonly Saying[]): ServiceSays {
  const layers = sayings.map(({ layer }) => layer);
  return { sayings, layers, base: mergeSettings(...layers) };
}
