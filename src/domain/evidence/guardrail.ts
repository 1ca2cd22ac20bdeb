import { thresholdLogE } from './alpha.ts';
import type { BinaryCounts, DayBucket } from './eprocess.ts';
import { eValueOf, lowerBound, restartLogE, safetyLogE, upperBound } from './eprocess.ts';
import { least } from './least.ts';
import type { SumBucket, SumState } from './sum-process.ts';
import { addValue, EMPTY_SUM, meanOf, restartSumLogE, sumLogE, toFixed } from './sum-process.ts';

/** The largest `moreNeeded` that is reported; it stands for "this many or more". */
export const MORE_NEEDED_MAX = 10_000_000;

/** What is known of the source of a metric at the time of judging. */
export type DataState = 'live' | 'no-data' | 'source-down';

/** The five words of a judgement: five words, five policies (DESIGN 2). */
export type VerdictWord = 'ok' | 'breach' | 'inconclusive' | 'no-data' | 'source-down';

/** A rate guardrail: all subject-days by start day, and those older than `matureAfter`. */
export type RateEvidence = {
  readonly kind: 'rate';
  readonly limit: number;
  readonly buckets: readonly DayBucket[];
  readonly mature: MatureCounts;
};

/** Mature events, how many of them were harm, and of how many somebody said what came of them. */
export type MatureCounts = BinaryCounts & { readonly known: number };

/**
 * A `sum` guardrail. `mature` proves "below the limit" and needs an enforced cap B: its state was fed by
 * `addSafety`. Null when there is no cap; such a guardrail is never `ok`.
 */
export type SumEvidence = {
  readonly kind: 'sum';
  readonly limit: number;
  readonly buckets: readonly SumBucket[];
  /** Of a ratio: what the total is set against. */
  readonly per?: bigint;
  readonly mature: { readonly cap: number; readonly safety: SumState } | null;
};

/** A pooled process: `logE` from `pooledRestartLogE` or `restartSumLogE`. It can breach and is never `ok`. */
export type PooledEvidence = {
  readonly kind: 'pooled';
  readonly logE: number;
  readonly events: number;
  readonly harms: number | null;
};

/** Everything that a judgement depends on. */
export type JudgeInput = {
  readonly evidence: RateEvidence | SumEvidence | PooledEvidence;
  readonly alpha: number;
  readonly weight: number;
  readonly minSample: number;
  readonly dataState: DataState;
  /** True once this process fired: it is frozen and stays a breach (STATISTICS 4.5). */
  readonly breachedBefore?: boolean;
};

/** The record of one judgement; every field survives JSON, so a judgement can be recomputed and compared. */
export type Verdict = {
  readonly verdict: VerdictWord;
  /** E of the trigger, at most Number.MAX_VALUE. */
  readonly eValue: number;
  readonly logE: number;
  /** Null: the guardrail only reports and cannot fire. */
  readonly thresholdLogE: number | null;
  readonly events: number;
  /** Null for sums. */
  readonly harms: number | null;
  /** The mean of all events; null without events. */
  readonly estimate: number | null;
  /**
   * Bounds on the mean of mature events, each at `alpha`; null where they cannot be computed. What nobody reported on is
   * no harm for the one below, and harm for the one above: silence proves neither.
   */
  readonly lowerBoundReported: number | null;
  readonly upperBoundWithSilence: number | null;
  /** How many more harmless mature events would give `ok`; null when no number of them would. */
  readonly moreNeeded: number | null;
};

type Reading = Pick<
  Verdict,
  'logE' | 'events' | 'harms' | 'estimate' | 'lowerBoundReported' | 'upperBoundWithSilence'
> & {
  matureEvents: number;
  /** log E against "the mean is at least the limit" after `more` harmless mature events; null: no proof exists. */
  safetyAfter: ((more: number) => number) | null;
};

/** Adds a mature value to the proof of safety of a capped sum: Y = B − X against B − m (STATISTICS 4.1). */
export function addSafety<State extends SumState>(
  state: State,
  x: number,
  cap: number,
  limit: number,
): State {
  return addValue(state, Math.max(0, cap - x), cap - limit);
}

function readRate({ limit, buckets, mature }: RateEvidence, alpha: number): Reading {
  let [events, harms] = [0, 0];
  for (const bucket of buckets) {
    events += bucket.events;
    harms += bucket.harms;
  }
  const silent = withSilence(mature);
  return {
    logE: restartLogE(buckets, limit),
    events,
    harms,
    estimate: events === 0 ? null : harms / events,
    lowerBoundReported: lowerBound(mature, alpha),
    upperBoundWithSilence: upperBound(silent, alpha),
    matureEvents: mature.events,
    safetyAfter: (more) => safetyLogE({ events: mature.events + more, harms: silent.harms }, limit),
  };
}

/** An outcome missing at maturity is never a success: it weighs against the proof that all is well, and only there. */
export const withSilence = ({ events, harms, known }: MatureCounts): BinaryCounts => ({
  events,
  harms: Math.min(events, harms + events - known),
});

function readSum({ limit, buckets, per, mature }: SumEvidence): Reading {
  let [events, total] = [0, 0n];
  for (const bucket of buckets) {
    events += bucket.events;
    total += bucket.total;
  }
  return {
    logE: restartSumLogE(buckets),
    events,
    harms: null,
    estimate: meanOf(total, per ?? toFixed(events)),
    lowerBoundReported: null,
    upperBoundWithSilence: null,
    matureEvents: mature?.safety.events ?? 0,
    safetyAfter: mature && sumSafetyAfter(mature.safety, mature.cap, limit),
  };
}

function sumSafetyAfter(safety: SumState, cap: number, limit: number): (more: number) => number {
  const step = addSafety(EMPTY_SUM, 0, cap, limit).logs;
  return (more) =>
    sumLogE({ ...safety, logs: safety.logs.map((log, j) => log + BigInt(more) * (step[j] as bigint)) });
}

function readPooled({ logE, events, harms }: PooledEvidence): Reading {
  const estimate = events === 0 || harms === null ? null : harms / events;
  const unknown = { lowerBoundReported: null, upperBoundWithSilence: null, safetyAfter: null };
  return { ...unknown, logE, events, harms, estimate, matureEvents: 0 };
}

function read({ evidence, alpha }: JudgeInput): Reading {
  switch (evidence.kind) {
    case 'rate':
      return readRate(evidence, alpha);
    case 'sum':
      return readSum(evidence);
    case 'pooled':
      return readPooled(evidence);
  }
}

/** The smallest `more` that proves safety and fills the minimum sample. */
function harmlessNeeded(
  { safetyAfter, matureEvents }: Reading,
  needed: number,
  minSample: number,
): number | null {
  if (safetyAfter === null) return null;
  return least((more) => matureEvents + more >= minSample && safetyAfter(more) >= needed, MORE_NEEDED_MAX);
}

/**
 * Judges one guardrail in one segment. `breach`: the restart mixture reached log(1/(alpha·weight)) (STATISTICS 4.6).
 * `ok`: the upper bound of mature events at `alpha` is below the limit and the minimum sample is there. `ok` uses
 * alpha undivided: a widening needs every guardrail to be ok, so the worst single one bounds its error.
 * An outage is neither good nor bad news: it hides `ok`, never a breach (STATISTICS 4.9, 10).
 */
export function judge(input: JudgeInput): Verdict {
  const { alpha, weight, minSample, dataState, breachedBefore = false } = input;
  const { matureEvents, safetyAfter, ...reading } = read(input);
  const threshold = thresholdLogE(alpha, weight);
  const breached = breachedBefore || (weight > 0 && reading.logE >= threshold);
  const needed = -Math.log(alpha);
  const more = breached ? null : harmlessNeeded({ ...reading, matureEvents, safetyAfter }, needed, minSample);
  return {
    ...reading,
    verdict: verdictWord(breached, dataState, more),
    eValue: eValueOf(reading.logE),
    logE: Math.min(reading.logE, Number.MAX_VALUE),
    thresholdLogE: weight > 0 ? threshold : null,
    moreNeeded: more,
  };
}

function verdictWord(breached: boolean, dataState: DataState, more: number | null): VerdictWord {
  if (breached) return 'breach';
  if (dataState !== 'live') return dataState;
  return more === 0 ? 'ok' : 'inconclusive';
}

function divergence(p1: number, p0: number): number {
  const term = (a: number, b: number): number => (a === 0 ? 0 : a * Math.log(a / b));
  return term(p1, p0) + term(1 - p1, 1 - p0);
}

/** Events needed to see a rate `p1` against the limit `p0`, about: ln(1/(alpha·weight))/KL(p1‖p0) (STATISTICS 4.7). */
export function planningEvents(p0: number, p1: number, alpha: number, weight: number): number {
  if (!(p0 >= 0 && p1 <= 1))
    throw new RangeError(`Cannot plan: the rates are ${p0} and ${p1}, not within 0..1`);
  return p1 > p0 ? Math.max(1, thresholdLogE(alpha, weight) / divergence(p1, p0)) : Number.POSITIVE_INFINITY;
}
