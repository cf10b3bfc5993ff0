// SPDX-License-Identifier: Apache-2.0
/** Where clients reach us: what was given on the command line, else the addresses of the Service named there. */
import type { Store } from "../model/types.ts";
import type { Logger } from "../report/log.ts";
import { arrangeAddresses, type PublishedAddress, readServiceAddresses, toAddresses } from "./addresses.ts";

export interface PublishedAddressesOptions {
  readonly statusAddresses: readonly string[];
  /** `namespace/name`; the source watches it, also outside of the namespaces that it watches. */
  readonly publishService: string | undefined;
  readonly log: Logger;
}

export class PublishedAddresses {
  readonly #options: PublishedAddressesOptions;
  #missing = false;

  constructor(options: PublishedAddressesOptions) {
    this.#options = options;
  }

  get enabled(): boolean {
    return this.#options.statusAddresses.length > 0 || this.#options.publishService !== undefined;
  }

  /** Undefined while nothing is known: what was written before then stays. */
  find({ services }: Store): readonly PublishedAddress[] | undefined {
    const { statusAddresses, publishService } = this.#options;
    if (statusAddresses.length > 0) return arrangeAddresses(toAddresses(statusAddresses));
    if (publishService === undefined) return undefined;
    const service = services.get(publishService);
    this.#noteMissing(service === undefined);
    return service === undefined ? undefined : readServiceAddresses(service);
  }

  #noteMissing(missing: boolean): void {
    if (missing === this.#missing) return;
    this.#missing = missing;
    const object = `Service ${this.#options.publishService}`;
    if (missing)
      this.#options.log.warn({ object }, "there is no Service as --publish-service says; statuses stay");
    else this.#options.log.info({ object }, "the Service of --publish-service is there");
  }
}
