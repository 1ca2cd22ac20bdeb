import { groupBy } from '../group-by.ts';
import {
  type Judged,
  type JudgedFacts,
  perOf,
  provesIn,
  type SumDay,
  type SumFacts,
  sumOf,
} from './facts.ts';
import { type JudgeInput, judge, type MatureCounts } from './guardrail.ts';
import { sumSpreadOf } from './spread.ts';
import { decodeSum, EMPTY_SUM, mergeSum, type SumBucket } from './sum-process.ts';

/** Without a limit, where the baseline gave none, nothing is won or lost. */
export const bucketOf = (day: SumDay): SumBucket => ({
  day: day.day,
  ...(day.logs.length > 0 ? decodeSum(day) : { ...EMPTY_SUM, events: day.events, total: BigInt(day.total) }),
});

/** Judges the mean of a sum, or a ratio, by 4.1 with the restarts of 4.6; the logs hold the limit. */
export function judgeSum(facts: JudgedFacts, { cap, perMax, buckets }: SumFacts): Judged {
  const { kind, limit, alpha, weight, minSample, breachedBefore, matureBefore } = facts;
  const isJudged = ({ logs }: SumDay): boolean => logs.length > 0;
  const own = buckets.filter(provesIn(facts));
  const { known } = countsOf(own);
  const common: Omit<JudgeInput, 'evidence' | 'dataState'> = { alpha, weight, minSample, breachedBefore };
  if (kind === 'pooled') {
    const segments = [...groupBy(buckets.filter(isJudged), ({ segment }) => segment)].sort(
      ([one], [other]) => (one < other ? -1 : 1),
    );
    const { logE, pooledLogE, leftOut } = sumSpreadOf(
      segments.map(([segment, days]) => ({ segment, buckets: days.map(bucketOf) })),
    );
    const evidence = { kind: 'pooled' as const, logE, events: countsOf(buckets).events, harms: null };
    const capped = leftOut === undefined ? {} : { pooledLogE, leftOut };
    return { ...judge({ ...common, evidence, dataState: 'live' }), known, mature: null, ...capped };
  }
  const ripe = own.filter(({ day }) => day < matureBefore);
  const mature = countsOf(ripe);
  // Of a ratio x = C + r(P - S) is judged against rP (STATISTICS 4.2).
  const shift = perMax === undefined ? 0 : limit * perMax;
  const against = perMax === undefined ? limit : shift;
  const most = cap === undefined ? undefined : cap + shift;
  const isProvable = most !== undefined && most > against && ripe.every(({ over }) => over === 0);
  const evidence = {
    kind: 'sum' as const,
    limit: against,
    buckets: buckets.map(bucketOf),
    ...(perMax !== undefined && { per: perOf(buckets) ?? 0n }),
    mature: isProvable ? { cap: most, safety: safetyOf(ripe) } : null,
  };
  const dataState = facts.baselineThin || (mature.events > 0 && mature.known === 0) ? 'no-data' : 'live';
  return { ...judge({ ...common, evidence, dataState }), known, mature };
}

const safetyOf = (days: readonly SumDay[]) =>
  days
    .filter(({ safety }) => safety.length > 0)
    .map(({ events, safety }) => decodeSum({ events, total: '0', logs: safety }))
    .reduce(mergeSum, EMPTY_SUM);

/** A sum has no harms. */
const countsOf = (days: readonly SumDay[]): MatureCounts =>
  sumOf(days.map(({ events, known }) => ({ events, harms: 0, known })));
