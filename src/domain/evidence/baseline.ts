import type { RolloutPlan } from '../rollout-plan.ts';
import { upperBound } from './eprocess.ts';
import type { MatureCounts } from './guardrail.ts';
import { lowerMeanOfMoments, type Moments } from './moments.ts';

/** What a guardrail's limit may be: a rate, or so much above what the baseline measured. */
export type GuardrailLimit = RolloutPlan['guardrails'][number]['limit'];

/** What the baseline measured of one metric in one segment: of the days that were ripe when it was locked. */
export interface BaselineCounts extends MatureCounts {
  segment: string;
  metric: string;
  /** Of a sum, what a subject-day came to. */
  mean?: number;
  /** Of its known values: their sum, their squares, and how many were above its cap. */
  values?: { sum: number; squares: number; over: number };
}

/** The same, and the limits that follow from it where the guardrail is against the baseline. Never edited. */
export interface LockedBaseline extends BaselineCounts {
  /** Of the segment's own process, and of the pooled one. */
  own?: LockedLimit;
  pooled?: LockedLimit;
}

/** U and the limit made of it; no limit where too little was measured: nothing is taken back by it then. */
export interface LockedLimit {
  upper: number;
  limit: number | null;
}

/** Fixed point rounds each value down by less. */
const ROUNDED = 2 ** -32;

/** The part of a process's weight that the bound of the baseline takes; the process has the rest (STATISTICS 4.4). */
export const BASELINE_PART = 0.5;

/**
 * U·(1 + margin), U the upper bound of the baseline's rate at `alpha`: that the bound is wrong and that the process errs
 * add up to what the process alone would have had (STATISTICS 4.4, a union bound). Silence is harm here: it makes U larger,
 * and so the limit, and takes back nothing by mistake.
 */
export function lockedLimit(
  { events, harms, known }: MatureCounts,
  margin: number,
  alpha: number,
): LockedLimit {
  const withSilence = Math.min(events, harms + events - known);
  const upper = alpha > 0 ? upperBound({ events, harms: withSilence }, alpha) : 1;
  const limit = upper * (1 + margin);
  return { upper, limit: limit < 1 ? limit : null };
}

/**
 * The same of a sum with a cap B: U by what is left of it, B − x. Whoever nobody reported on has spent the cap; with a value
 * above it the cap is none, and there is no limit.
 */
export function lockedMean(
  { events, known, values = { sum: 0, squares: 0, over: 0 } }: BaselineCounts,
  cap: number,
  margin: number,
  alpha: number,
): LockedLimit {
  if (values.over > 0 || alpha <= 0) return { upper: cap, limit: null };
  // Sums were rounded down by value: what is left is not more than this, its squares not less.
  const dust = events * ROUNDED;
  const left: Moments = {
    events,
    sum: known * cap - values.sum - dust,
    squares: known * cap ** 2 - 2 * cap * values.sum + values.squares + dust,
  };
  const upper = cap - lowerMeanOfMoments(left, alpha);
  const limit = upper * (1 + margin);
  return { upper, limit: limit < cap ? limit : null };
}

/** What a rate is judged against; null: the baseline does not suffice. */
export const limitFrom = (limit: GuardrailLimit, locked: LockedLimit | undefined): number | null =>
  typeof limit === 'number' ? limit : (locked?.limit ?? null);

/** What the bound of the baseline leaves of a process's weight. */
export const weightLeft = (limit: GuardrailLimit, weight: number): number =>
  typeof limit === 'number' ? weight : weight * (1 - BASELINE_PART);
