import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BinaryCounts, DayBucket } from '../../../../src/domain/evidence/eprocess.ts';
import {
  BETS,
  betLogs,
  logE,
  lowerBound,
  pooledLogE,
  pooledRestartLogE,
  RESTART_START,
  restartAfter,
  restartLogE,
  restartStateLogE,
  safetyLogE,
  upperBound,
} from '../../../../src/domain/evidence/eprocess.ts';
import type { SumBucket, SumState } from '../../../../src/domain/evidence/sum-process.ts';
import {
  addValue,
  amendValue,
  decodeSum,
  EMPTY_SUM,
  encodeSum,
  fromFixed,
  mergeSum,
  restartSumLogE,
  sumLogE,
} from '../../../../src/domain/evidence/sum-process.ts';

const STREAM = [0, 1, 0, 0, 1, 1, 0, 1, 0, 1];

const aCounts = fc
  .tuple(fc.nat(5_000), fc.nat(5_000))
  .map(([clean, harms]): BinaryCounts => ({ events: clean + harms, harms }));
const aRate = fc.double({ min: 0.001, max: 0.999, noNaN: true });
const aLimit = fc.constantFrom(0.01, 0.02, 0.05, 0.3);
const aValue = fc.double({ min: 0, max: 1e6, noNaN: true });
const aMoney = fc.double({ min: 0.01, max: 1e4, noNaN: true });
const aBucket = fc.tuple(fc.nat(90), aCounts).map(([day, counts]): DayBucket => ({ day, ...counts }));
const aSumBucket = fc
  .tuple(fc.nat(90), fc.array(aValue, { maxLength: 5 }))
  .map(([day, values]): SumBucket => ({ day, ...sumOf(values, 10) }));

function sumOf(values: readonly number[], limit: number): SumState {
  return values.reduce((state, x) => addValue(state, x, limit), EMPTY_SUM);
}

function countsOf(path: readonly number[]): BinaryCounts {
  return { events: path.length, harms: path.reduce((total, x) => total + x, 0) };
}

function daysOf(path: readonly number[], daySize: number): DayBucket[] {
  return Array.from({ length: path.length / daySize }, (_, day) => ({
    day,
    ...countsOf(path.slice(day * daySize, (day + 1) * daySize)),
  }));
}

describe('rates', () => {
  test('logE() falls in the limit', () => {
    fc.assert(
      fc.property(aCounts, aRate, aRate, (counts, a, b) => {
        expect(logE(counts, Math.min(a, b))).toBeGreaterThanOrEqual(logE(counts, Math.max(a, b)));
      }),
    );
  });

  test('restartLogE() falls in the limit', () => {
    fc.assert(
      fc.property(fc.array(aBucket, { maxLength: 20 }), aRate, aRate, (buckets, a, b) => {
        const [low, high] = [restartLogE(buckets, Math.min(a, b)), restartLogE(buckets, Math.max(a, b))];
        expect(low).toBeGreaterThanOrEqual(high - 1e-9 * Math.abs(high));
      }),
    );
  });

  test('restartLogE() rises when an event turns out harmful', () => {
    fc.assert(
      fc.property(fc.array(aBucket, { minLength: 1, maxLength: 20 }), aLimit, (buckets, limit) => {
        const [first, ...rest] = buckets as [DayBucket, ...DayBucket[]];
        const events = first.events + 1;
        const after = restartLogE([{ ...first, events, harms: first.harms + 1 }, ...rest], limit);
        expect(after).toBeGreaterThanOrEqual(restartLogE([{ ...first, events }, ...rest], limit));
      }),
    );
  });
});

describe('day buckets', () => {
  test('restartLogE() of the path so far is the fold of restartAfter()', () => {
    const buckets = daysOf([...STREAM, 1, 1], 3);
    const folded = buckets.reduce((state, day) => restartAfter(state, betLogs(day, 0.3)), RESTART_START);
    expect(restartStateLogE(folded)).toBe(restartLogE(buckets, 0.3));
    expect(restartStateLogE(RESTART_START)).toBe(0);
  });

  test('restartLogE() gives the same bits for any order and any split of the buckets', () => {
    fc.assert(
      fc.property(
        fc.array(aBucket, { maxLength: 30 }),
        aLimit,
        fc.infiniteStream(fc.nat()),
        (all, limit, keys) => {
          const keyed = all.map((bucket) => ({ bucket, key: keys.next().value }));
          const shuffled = keyed.sort((a, b) => a.key - b.key).map(({ bucket }) => bucket);
          const split = shuffled.flatMap(({ day, events, harms }) => [
            { day, events: harms, harms },
            { day, events: events - harms, harms: 0 },
          ]);
          expect(restartLogE(split, limit)).toBe(restartLogE(all, limit));
        },
      ),
    );
  });
});

describe('extremes', () => {
  test('logE() stays finite at 10^6 events and restartLogE() too', () => {
    for (const harms of [0, 20_000, 1_000_000]) {
      expect(Number.isFinite(logE({ events: 1_000_000, harms }, 0.02))).toBe(true);
      const buckets = Array.from({ length: 91 }, (_, day) => ({ day, events: 1_000_000, harms }));
      expect(Number.isFinite(restartLogE(buckets, 0.02))).toBe(true);
    }
  });

  test('logE() is infinite at the first harm against a limit of 0, and falls without one', () => {
    expect(logE({ events: 9, harms: 1 }, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(restartLogE([{ day: 1, events: 9, harms: 1 }], 0)).toBe(Number.POSITIVE_INFINITY);
    expect(logE({ events: 9, harms: 0 }, 0)).toBeLessThan(0);
  });

  test.each([
    [{ events: 1, harms: 2 }, 0.1],
    [{ events: 1.5, harms: 1 }, 0.1],
    [{ events: 1, harms: -1 }, 0.1],
    [{ events: 1, harms: 1 }, 1.1],
    [{ events: 1, harms: 1 }, Number.NaN],
  ])('logE() refuses %o against %d', (counts, limit) => {
    expect(() => logE(counts, limit)).toThrow(RangeError);
  });
});

describe('bounds', () => {
  test('lowerBound() and upperBound() are where E crosses 1/alpha', () => {
    const counts = { events: 200, harms: 30 };
    const [low, high] = [lowerBound(counts, 0.05), upperBound(counts, 0.05)];
    expect(logE(counts, low)).toBeCloseTo(Math.log(20), 8);
    expect(safetyLogE(counts, high)).toBeCloseTo(Math.log(20), 8);
  });

  test('lowerBound() and upperBound() enclose the estimate within 0..1', () => {
    fc.assert(
      fc.property(aCounts, (counts) => {
        const [low, high] = [lowerBound(counts, 0.05), upperBound(counts, 0.05)];
        const estimate = counts.events === 0 ? 0.5 : counts.harms / counts.events;
        expect(low).toBeGreaterThanOrEqual(0);
        expect(low).toBeLessThanOrEqual(estimate);
        expect(high).toBeGreaterThanOrEqual(estimate);
        expect(high).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  test('lowerBound() is 0 without harm, upperBound() is 1 without a clean event', () => {
    expect(lowerBound({ events: 1_000, harms: 0 }, 0.05)).toBe(0);
    expect(upperBound({ events: 1_000, harms: 1_000 }, 0.05)).toBe(1);
    expect(upperBound({ events: 0, harms: 0 }, 0.05)).toBe(1);
  });
});

describe('pooled', () => {
  test('pooledLogE() and pooledRestartLogE() of one segment are logE() and restartLogE()', () => {
    const buckets = daysOf([...STREAM, 1, 1], 4);
    expect(pooledLogE([{ limit: 0.3, buckets }])).toBe(logE(countsOf([...STREAM, 1, 1]), 0.3));
    expect(pooledRestartLogE([{ limit: 0.3, buckets }])).toBe(restartLogE(buckets, 0.3));
  });

  test('pooledRestartLogE() gives the same bits for any order of the segments', () => {
    const aSegment = fc.record({ limit: aLimit, buckets: fc.array(aBucket, { maxLength: 10 }) });
    fc.assert(
      fc.property(fc.array(aSegment, { maxLength: 8 }), (segments) => {
        const reversed = segments.toReversed();
        expect(pooledRestartLogE(reversed)).toBe(pooledRestartLogE(segments));
        expect(pooledLogE(reversed)).toBe(pooledLogE(segments));
      }),
    );
  });
});

describe('sums', () => {
  test('addValue() gives the same state in any order', () => {
    fc.assert(
      fc.property(fc.array(aValue, { maxLength: 30 }), aMoney, (values, limit) => {
        expect(sumOf(values.toReversed(), limit)).toEqual(sumOf(values, limit));
      }),
    );
  });

  test('mergeSum() of two shards is the state of all values', () => {
    fc.assert(
      fc.property(fc.array(aValue), fc.array(aValue), aMoney, (a, b, limit) => {
        expect(mergeSum(sumOf(a, limit), sumOf(b, limit))).toEqual(sumOf([...a, ...b], limit));
      }),
    );
  });

  test('addValue() rounds down, by less than 2^-32 per value', () => {
    fc.assert(
      fc.property(fc.array(aValue, { minLength: 1, maxLength: 30 }), aMoney, (values, limit) => {
        const { logs } = sumOf(values, limit);
        BETS.forEach((k, j) => {
          const exact = values.reduce((sum, x) => sum + Math.log1p(k * (x / limit - 1)), 0);
          const short = exact - fromFixed(logs[j] as bigint);
          expect(short).toBeGreaterThan(-1e-10);
          expect(short).toBeLessThan(values.length * 2 ** -32 + 1e-10);
        });
      }),
    );
  });

  test('addValue() keeps the other fields of a bucket', () => {
    expect(addValue({ day: 7, ...EMPTY_SUM }, 3, 2)).toMatchObject({ day: 7, events: 1, total: 3n << 32n });
  });

  test('amendValue() gives the state as if the larger value had come at once', () => {
    fc.assert(
      fc.property(fc.array(aValue, { maxLength: 10 }), aValue, aValue, aMoney, (others, a, b, limit) => {
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const entered = sumOf([...others, from], limit);
        expect(amendValue(entered, from, to, limit)).toEqual(sumOf([...others, to], limit));
      }),
    );
  });

  test('amendValue() changes nothing for a redelivered or a smaller value', () => {
    const state = sumOf([1, 5, 9], 2);
    expect(amendValue(state, 5, 5, 2)).toBe(state);
    expect(amendValue(state, 5, 4, 2)).toBe(state);
  });
});

describe('sums as buckets and as JSON', () => {
  test('encodeSum() survives JSON and decodeSum() refuses another number of bets', () => {
    fc.assert(
      fc.property(fc.array(aValue, { maxLength: 20 }), (values) => {
        const state = sumOf(values, 10);
        expect(decodeSum(JSON.parse(JSON.stringify(encodeSum(state))))).toEqual(state);
      }),
    );
    expect(() => decodeSum({ events: 1, total: '0', logs: ['0'] })).toThrow(RangeError);
  });

  test('restartSumLogE() gives the same bits for any order of the buckets, and a day whose events all left keeps its place', () => {
    fc.assert(
      fc.property(fc.array(aSumBucket, { maxLength: 20 }), (buckets) => {
        const expected = restartSumLogE(buckets);
        expect(restartSumLogE(buckets.toReversed())).toBe(expected);
        // One more day in which nothing was won or lost.
        expect(restartSumLogE([...buckets, { day: 10_000, ...EMPTY_SUM }])).toBeCloseTo(expected, 9);
      }),
    );
  });

  test('restartSumLogE() of zeros and ones agrees with restartLogE()', () => {
    const buckets = daysOf([...STREAM, 1, 1], 4);
    const sums = buckets.map(({ day }) => ({
      day,
      ...sumOf([...STREAM, 1, 1].slice(day * 4, day * 4 + 4), 0.3),
    }));
    expect(restartSumLogE(sums)).toBeCloseTo(restartLogE(buckets, 0.3), 8);
  });

  test('sumLogE() stays finite for 10^6 values and the largest of them', () => {
    const year = { ...addValue(EMPTY_SUM, 0, 1), events: 1_000_000 };
    const scaled = { ...year, logs: year.logs.map((log) => log * 1_000_000n) };
    expect(Number.isFinite(sumLogE(scaled))).toBe(true);
    expect(Number.isFinite(sumLogE(addValue(EMPTY_SUM, 1e15, Number.MIN_VALUE)))).toBe(true);
  });

  test.each([
    [-1, 1],
    [Number.NaN, 1],
    [Number.POSITIVE_INFINITY, 1],
    [1, 0],
    [1, Number.NaN],
  ])('addValue() refuses %d against %d', (x, limit) => {
    expect(() => addValue(EMPTY_SUM, x, limit)).toThrow(RangeError);
  });
});
