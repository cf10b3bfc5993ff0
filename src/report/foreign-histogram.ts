// SPDX-License-Identifier: Apache-2.0
/** A histogram that somebody else has counted: prom-client's own can only observe one value at a time. */
import type { Metric, MetricObjectWithValues, MetricValue, Registry } from "prom-client";

interface Growth {
  /** By upper bound, `+Inf` included; each bucket alone. */
  readonly buckets: readonly (readonly [le: string, count: number])[];
  readonly sum: number;
  readonly count: number;
}

interface Options {
  readonly name: string;
  readonly help: string;
  readonly registers: readonly Registry[];
}

export class ForeignHistogram {
  readonly name: string;
  readonly help: string;
  #buckets = new Map<string, number>();
  #sum = 0;
  #count = 0;

  constructor({ name, help, registers }: Options) {
    this.name = name;
    this.help = help;
    // The registry asks a metric for no more than a name and its values.
    for (const registry of registers) registry.registerMetric(this as unknown as Metric);
  }

  grow({ buckets, sum, count }: Growth): void {
    for (const [le, more] of buckets) this.#buckets.set(le, (this.#buckets.get(le) ?? 0) + more);
    this.#sum += sum;
    this.#count += count;
  }

  reset(): void {
    this.#buckets = new Map();
    this.#sum = 0;
    this.#count = 0;
  }

  async get(): Promise<MetricObjectWithValues<MetricValue<"le">>> {
    const { name, help } = this;
    let below = 0;
    const values: (MetricValue<"le"> & { metricName: string })[] = [];
    for (const [le, count] of [...this.#buckets].sort(([a], [b]) => boundOf(a) - boundOf(b))) {
      below += count;
      values.push({ labels: { le }, value: below, metricName: `${name}_bucket` });
    }
    values.push({ labels: {}, value: this.#sum, metricName: `${name}_sum` });
    values.push({ labels: {}, value: this.#count, metricName: `${name}_count` });
    return { name, help, type: "histogram", aggregator: "sum", values } as unknown as MetricObjectWithValues<
      MetricValue<"le">
    >;
  }
}

function boundOf(le: string): number {
  return le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
}
