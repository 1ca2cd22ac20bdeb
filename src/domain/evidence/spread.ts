import { type CountSegment, countPrior, countRestartLogE, pooledCountLogE } from './count.ts';
import { type PooledSegment, pooledRestartLogE, restartLogE } from './eprocess.ts';
import { restartSumLogE, type SumBucket } from './sum-process.ts';

/** The pooled process, and what is left of it by the cap. */
export interface Spread {
  logE: number;
  pooledLogE: number;
  /** The segment whose own evidence is strongest: the cap is the pooled process without it. */
  leftOut?: string;
}

/**
 * log E of harm spread over segments: the pooled restart mixture (STATISTICS 4.5, 4.6), but no more than what is left
 * of it without the segment whose own evidence is strongest. It never exceeds the pooled process, so the chance of a
 * false alarm keeps its bound; and harm that sits in one segment is left to that segment's own process, which takes
 * back that segment alone.
 */
export const spreadOf = (segments: readonly (PooledSegment & { segment: string })[]): Spread =>
  capped(segments, ({ buckets, limit }) => restartLogE(buckets, limit), pooledRestartLogE);

/** The same of the counts over time. */
export const countSpreadOf = (segments: readonly (CountSegment & { segment: string })[]): Spread =>
  capped(segments, ({ days, limit }) => countRestartLogE(days, limit, countPrior(limit)), pooledCountLogE);

/** The same of sums, whose limits are inside their logs. */
export const sumSpreadOf = (
  segments: readonly { segment: string; buckets: readonly SumBucket[] }[],
): Spread =>
  capped(
    segments,
    ({ buckets }) => restartSumLogE(buckets),
    (all) => restartSumLogE(all.flatMap(({ buckets }) => buckets)),
  );

function capped<Segment extends { segment: string }>(
  segments: readonly Segment[],
  ownLogE: (segment: Segment) => number,
  pooled: (segments: readonly Segment[]) => number,
): Spread {
  const pooledLogE = pooled(segments);
  if (segments.length < 2) return { logE: 0, pooledLogE };
  const own = segments.map(ownLogE);
  const strongest = own.indexOf(Math.max(...own));
  const others = segments.filter((_, index) => index !== strongest);
  const leftOut = segments[strongest]?.segment ?? '';
  return { logE: Math.min(pooledLogE, pooled(others)), pooledLogE, leftOut };
}
