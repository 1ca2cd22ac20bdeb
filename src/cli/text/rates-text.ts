import type { Rates } from '../../domain/rates.ts';
import { formatNumber } from './format.ts';
import { table } from './render.ts';

/** What harm costs, metric by metric. */
export function ratesText({ agent, owner, currency, rates }: Rates, width: number): string {
  const rows = rates.map(({ metric, amount, validFrom, reason }) => [
    metric,
    `${formatNumber(amount)} ${currency}`,
    validFrom,
    reason,
  ]);
  return `Rates of ${agent}, declared by ${owner}\n${table(['metric', 'each', 'from', 'why'], rows, width)}`;
}
