import { lowerBound as lowerRateBound } from './eprocess.ts';

/** When a tool may run unasked in a segment: so many decided by people, and a share of good ones that is proven. */
export interface EarnPolicy {
  /** How many people must have decided. */
  decided: number;
  /** What the lower bound of the share of good ones must exceed, within 0..1. */
  above: number;
  /** Chance that the bound is ever above the true share. */
  alpha: number;
}

/** What the people's answers were worth. `good`: approved unedited and not corrected since; `bad`: anything else. */
export interface EarnCounts {
  decided: number;
  good: number;
  bad: number;
}

export interface EarnedVerdict {
  verdict: 'earned' | 'keep' | 'breach';
  /** The bound it rests on. */
  lower: number;
}

/**
 * Lower confidence bound on the share of good events: sup{m in (0,1) : E(m) >= 1/alpha} for Y = 1 - x, where x = 1 is
 * harm (STATISTICS 4.1); 0 when there is no such m. Counts are integers.
 * @throws RangeError for other counts, and for alpha outside (0,1)
 */
export const lowerBound = ({ good, bad, alpha }: Omit<EarnCounts, 'decided'> & { alpha: number }): number =>
  lowerRateBound({ events: good + bad, harms: good }, alpha);

/**
 * Whether asking may stop, or has to begin again at once.
 *
 * Valid however often it is looked at: if no event is good with a chance above m, given the past, E(m) is a nonnegative
 * supermartingale that starts at 1, so by Ville's inequality the chance that it *ever* reaches 1/alpha, and with it that
 * the bound is ever above m, is at most alpha. So a look after every event, and a decision when it suits, is sound.
 *
 * The caller counts an event as good only once it is mature, and as bad at once. A good event that is not yet counted
 * leaves out a factor of at least 1 from every bet, so E never exceeds that of full knowledge and the bound errs to the
 * safe side. Counting good ones at once and bad ones late would void it.
 *
 * How many events of 99.5 % good it takes at alpha 0.05 (median and 90th percentile of 2,000 streams):
 *
 * | above | median | 90 % |
 * |---|---|---|
 * | 0.90 | 54 | 80 |
 * | 0.95 | 111 | 208 |
 * | 0.98 | 526 | 938 |
 * | 0.99 | 2,622 | 5,270 |
 */
export function judgeEarned(policy: EarnPolicy, state: 'ask' | 'allow', counts: EarnCounts): EarnedVerdict {
  const lower = lowerBound({ good: counts.good, bad: counts.bad, alpha: policy.alpha });
  const proven = lower > policy.above;
  if (state === 'allow') return { verdict: proven ? 'keep' : 'breach', lower };
  return { verdict: proven && counts.decided >= policy.decided ? 'earned' : 'keep', lower };
}
