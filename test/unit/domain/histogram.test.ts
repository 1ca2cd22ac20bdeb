import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bucketMs, quantile } from '../../../src/domain/histogram.ts';

/** By logarithms, as the store numbers them. */
const bucketOf = (ms: number) => (ms < 1 ? 0 : 1 + Math.floor(Math.log(ms) / Math.log(1.02)));
const histogramOf = (times: readonly number[]) => {
  const histogram = new Map<number, number>();
  for (const ms of times) histogram.set(bucketOf(ms), (histogram.get(bucketOf(ms)) ?? 0) + 1);
  return histogram;
};
/** As Postgres defines `percentile_cont`, from all of them. */
function exact(times: readonly number[], q: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  return low + ((sorted[Math.ceil(at)] ?? Number.NaN) - low) * (at - Math.floor(at));
}

const time = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 31_536_000_000 }));

test('a time is within 1 % of what its bucket stands for, from a millisecond to a year', () => {
  fc.assert(
    fc.property(time, (ms) => {
      expect(Math.abs(bucketMs(bucketOf(ms)) - ms)).toBeLessThanOrEqual(ms * 0.01);
    }),
  );
});

test('a quantile is within 1 % of that of the times themselves', () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(time, { minLength: 1, maxLength: 60 }), share, (times, q) => {
      const of = exact(times, q);
      expect(Math.abs((quantile(histogramOf(times), q) ?? Number.NaN) - of)).toBeLessThanOrEqual(
        of * 0.01 + 1e-6,
      );
    }),
  );
});

test('of nothing there is none, and what was taken out again is nothing', () => {
  expect(quantile(new Map(), 0.5)).toBeUndefined();
  expect(quantile(new Map([[40, 0]]), 0.5)).toBeUndefined();
  const histogram = new Map([
    [0, 1],
    [40, 0],
  ]);
  expect(quantile(histogram, 0.95)).toBe(0);
});
