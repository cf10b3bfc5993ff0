// SPDX-License-Identifier: Apache-2.0
/** Where clients reach us: what was given on the command line, else the addresses of the Service named there. */
import type { V1Service } from "@kubernetes/client-node";
import type { Clock } from "../clock.ts";
import type { Store } from "../model/types.ts";
import { type Api, describeAnswer, isSuccess } from "../report/api.ts";
import type { Logger } from "../report/log.ts";
import { arrangeAddresses, type PublishedAddress, readServiceAddresses, toAddresses } from "./addresses.ts";

export interface PublishedAddressesOptions {
  readonly statusAddresses: readonly string[];
  /** `namespace/name` */
  readonly publishService: string | undefined;
  readonly api: Api;
  readonly clock: Clock;
  readonly log: Logger;
  /** Only the leader asks for the Service. */
  readonly allowed: () => boolean;
  readonly onChange: () => void;
}

/** How often a Service outside of the watched namespaces is looked at. */
const POLL_MS = 30_000;

export class PublishedAddresses {
  readonly #options: PublishedAddressesOptions;
  #fetched: V1Service | undefined;
  #cancelPoll: () => void = () => undefined;
  #polling = false;
  #stopped = false;
  #complaint = "";

  constructor(options: PublishedAddressesOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.statusAddresses.length > 0 || this.#options.publishService !== undefined;
  }

  /** Undefined while nothing is known: what was written before then stays. */
  find(store: Store): readonly PublishedAddress[] | undefined {
    const { statusAddresses, publishService } = this.#options;
    if (statusAddresses.length > 0) return arrangeAddresses(toAddresses(statusAddresses));
    if (publishService === undefined) return undefined;
    const service = store.services.get(publishService);
    if (service === undefined) this.#ask();
    const known = service ?? this.#fetched;
    return known === undefined ? undefined : readServiceAddresses(known);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPoll();
  }

  #ask(): void {
    if (this.#polling || this.#stopped || !this.#options.allowed()) return;
    this.#polling = true;
    void this.#fetch().finally(() => {
      if (this.#stopped) return;
      this.#cancelPoll = this.#options.clock.after(POLL_MS, () => {
        this.#polling = false;
        this.#options.onChange();
      });
    });
  }

  async #fetch(): Promise<void> {
    const { api, log, publishService = "", onChange } = this.#options;
    const [namespace, name] = publishService.split("/");
    let complaint = "";
    try {
      const path = `/api/v1/namespaces/${namespace}/services/${name}`;
      const answer = await api.request({ method: "GET", path, timeoutMs: 10_000 });
      if (isSuccess(answer)) this.#fetched = answer.body as V1Service;
      else complaint = describeAnswer(answer);
    } catch (error) {
      complaint = error instanceof Error ? error.message : String(error);
    }
    if (complaint !== "" && complaint !== this.#complaint) {
      const object = `Service ${publishService}`;
      log.warn(
        { object, detail: complaint },
        "the Service of --publish-service can't be read; statuses stay as they are",
      );
    }
    this.#complaint = complaint;
    if (complaint === "" && !this.#stopped) onChange();
  }
}
