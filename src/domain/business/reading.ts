import type { Metric } from '../agent.ts';
import type { Rates } from '../rates.ts';
import type { BusinessCounts } from './counts.ts';

/** What the figures are read with: the manifest says what its metrics measure, the rates what things cost. */
export interface Reading {
  metrics: Readonly<Record<string, Metric>>;
  rates: Rates | undefined;
}

export type Measured = NonNullable<Metric['measures']>;

export const named = (metrics: Reading['metrics'], what: Measured): string[] =>
  Object.keys(metrics)
    .filter((name) => metrics[name]?.measures === what)
    .sort();

export const countsOf = (counts: BusinessCounts, metrics: Reading['metrics'], what: Measured) =>
  counts.metrics.filter(({ metric }) => Object.hasOwn(metrics, metric) && metrics[metric]?.measures === what);

export const whyUnmeasured = (measured: readonly string[], what: Measured, n: number): string[] =>
  n > 0
    ? []
    : [
        measured.length === 0
          ? `no metric measures ${what}`
          : `nothing of ${measured.join(', ')} was reported`,
      ];
