/** How many fell into each bucket of times, as the store's `wait_bucket` numbers them. */
export type Histogram = ReadonlyMap<number, number>;

const WIDTH = 1.02;

/** The time a bucket stands for, in milliseconds: within 1 % of whatever fell into it. */
export const bucketMs = (bucket: number): number => (bucket <= 0 ? 0 : WIDTH ** (bucket - 0.5));

/**
 * The quantile `q` (0 to 1) of what fell into the buckets, in milliseconds, interpolated between neighbours as Postgres's
 * `percentile_cont` does; within 1 % of theirs. Undefined where there is nothing.
 */
export function quantile(histogram: Histogram, q: number): number | undefined {
  const buckets = [...histogram].filter(([, n]) => n > 0).sort(([a], [b]) => a - b);
  const count = buckets.reduce((sum, [, n]) => sum + n, 0);
  if (count === 0) return undefined;
  const at = (count - 1) * q;
  const [low, high] = [nth(buckets, Math.floor(at)), nth(buckets, Math.ceil(at))];
  return low + (high - low) * (at - Math.floor(at));
}

/** The time of the one that stands at `index` when all are in order, from 0. */
function nth(buckets: readonly (readonly [number, number])[], index: number): number {
  let before = 0;
  for (const [bucket, n] of buckets) {
    before += n;
    if (before > index) return bucketMs(bucket);
  }
  throw new RangeError(`there is no ${index}th`);
}
