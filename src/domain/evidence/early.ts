import type { Early } from '../rollout-plan.ts';
import type { Judged } from './facts.ts';
import { logSumExp } from './log-sum.ts';

export const EARLY_MEASURES = ['ask', 'hold', 'shrink'] as const;
/** What is done before a breach: people confirm each write there, the rollout is paused, its exposure goes back. */
export type EarlyMeasure = (typeof EARLY_MEASURES)[number];

/**
 * log E of everything that judges a guardrail in a segment: the mean of its processes, which is an e-process as each of them is.
 * So a sound segment ever meets an e-value of 20 with a chance of one in 20 at most (Ville; STATISTICS 4.1).
 */
export function meanLogE({
  logE,
  count,
  control,
  difference,
}: Pick<Judged, 'logE' | 'count' | 'control' | 'difference'>): number {
  const all = [logE, count?.logE, control?.logE, difference?.logE].filter((one) => one !== undefined);
  return logSumExp(all) - Math.log(all.length);
}

/** What the evidence asks for by now, of what the release says. */
export const earlyDue = (
  early: Early | undefined,
  judged: Parameters<typeof meanLogE>[0],
): EarlyMeasure[] => {
  if (early === undefined) return [];
  const logE = meanLogE(judged);
  return EARLY_MEASURES.filter((measure) => logE >= Math.log(early[measure] ?? Infinity));
};
