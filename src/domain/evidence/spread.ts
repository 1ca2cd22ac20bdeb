import { type PooledSegment, pooledRestartLogE, restartLogE } from './eprocess.ts';

/**
 * log E of harm spread over segments: the pooled restart mixture (STATISTICS 4.5, 4.6), but no more than what is left
 * of it without the segment whose own evidence is strongest. It never exceeds the pooled process, so the chance of a
 * false alarm keeps its bound; and harm that sits in one segment is left to that segment's own process, which takes
 * back that segment alone.
 */
export function spreadLogE(segments: readonly PooledSegment[]): number {
  if (segments.length < 2) return 0;
  const own = segments.map(({ buckets, limit }) => restartLogE(buckets, limit));
  const strongest = own.indexOf(Math.max(...own));
  const others = segments.filter((_, index) => index !== strongest);
  return Math.min(pooledRestartLogE(segments), pooledRestartLogE(others));
}
