import { setTimeout as sleep } from 'node:timers/promises';
import { metricSourceSchema } from '../../../src/domain/metric-source.ts';
import { sourceCredentials } from '../../../src/metric-sources/credentials.ts';
import { readSource } from '../../../src/metric-sources/read.ts';
import type { TestExporter } from './exporter.ts';
import type { TestPrometheus } from './server.ts';

export const LABELS = 'job="desk",release="{release}",segment="{segment}"';
export const EVENTS = `sum(increase(calls_total{${LABELS}}[{window}]))`;
export const HARMS = `sum(increase(calls_total{${LABELS},ok="false"}[{window}])) or vector(0)`;
/** A window is of whole seconds: what lies before this is in it for sure. */
export const SURELY_IN_MS = 2_300;
/** A process of its own that exports the calls of a release of its own. */
export class Desk {
  readonly release: string;
  readonly exporter: TestExporter;
  readonly #prometheus: TestPrometheus;

  constructor(prometheus: TestPrometheus, exporter: TestExporter, release: string) {
    this.#prometheus = prometheus;
    this.exporter = exporter;
    this.release = release;
  }

  /** Its series are there, and at nothing. */
  async open(): Promise<void> {
    this.exporter.up = true;
    this.call(1, 1);
    this.exporter.restart();
    await this.#prometheus.scraped();
  }

  labels(more: Record<string, string> = {}) {
    return { release: this.release, segment: 'gold', ...more };
  }

  call(good: number, bad = 0): void {
    this.exporter.add('calls_total', this.labels({ ok: 'true' }), good);
    this.exporter.add('calls_total', this.labels({ ok: 'false' }), bad);
  }

  ask(events: string, harms: string, { from, to = new Date() }: { from: Date; to?: Date }) {
    const about = { release: this.release, segment: 'gold', arm: 'candidate', from, to } as const;
    const source = metricSourceSchema.parse({ prometheus: { url: this.#prometheus.url, events, harms } });
    return readSource(source, about, sourceCredentials({}));
  }

  /** What was counted of what `work` did, all of it scraped. */
  async counted(work: () => unknown, events = EVENTS, harms = HARMS) {
    const from = new Date();
    await sleep(SURELY_IN_MS);
    await work();
    await this.#prometheus.scraped();
    const to = new Date();
    return { from, to, answer: await this.ask(events, harms, { from, to }) };
  }
}
