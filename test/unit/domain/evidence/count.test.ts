import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { thresholdLogE, withCompanions } from '../../../../src/domain/evidence/alpha.ts';
import {
  type CountDay,
  countLogE,
  countPrior,
  countRestartLogE,
  countRestartMost,
  pooledCountLogE,
} from '../../../../src/domain/evidence/count.ts';
import { dayLimit } from '../../../../src/domain/evidence/day-limit.ts';
import { restartLogE } from '../../../../src/domain/evidence/eprocess.ts';
import { type Random, seeded } from '../../../support/seeded.ts';

const SEED = 20_261_121;
const ALPHA = 0.05;

function poisson(random: Random, mean: number): number {
  const least = Math.exp(-mean);
  let n = 0;
  for (let product = random(); product > least; product *= random()) n += 1;
  return n;
}

/** The most false alarms that a level of `alpha` explains: 2.33 standard deviations, 1 % one-sided. */
const mostFalse = (alpha: number, runs: number) => alpha + 2.33 * Math.sqrt((alpha * (1 - alpha)) / runs);
const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** ln P(S = s) of a Poisson count, for s up to `most`. */
function logPoisson(mean: number, most: number): number[] {
  const logs = [-mean];
  for (let s = 1; s <= most; s += 1) logs.push((logs[s - 1] as number) + Math.log(mean / s));
  return logs;
}

/** The mean of E. What bears it are counts far above their own mean: the prior reaches to many times the limit. */
const expectation = (mean: number, logE: (harms: number) => number) =>
  logPoisson(mean, 4_000).reduce((sum, log, harms) => sum + Math.exp(log + logE(harms)), 0);

describe('countLogE()', () => {
  /** S, T, l0, a, b and log E with 50 digits: the likelihood ratio integrated over the cut prior, by mpmath 1.3.0. */
  test.each([
    [0, 0, 1, 0.5, 0.1, 0],
    [0, 10, 1, 0.5, 0.1, -3.7571500781781415],
    [5, 2, 1, 0.5, 0.1, 0.5400689888395708],
    [12, 10, 0.4, 0.5, 0.25, 3.7962705825540075],
    [3, 0.5, 0.05, 2, 1, 10.164134927721364],
    [40, 10, 2, 1, 1, 6.2808592043719775],
    [200, 30, 5, 0.5, 0.02, 4.5160429456651165],
  ])('of %d harms in %d days, limit %d, prior gamma(%d, %d) is %d', (harms, time, limit, a, b, expected) => {
    expect(countLogE({ harms, time, limit }, { a, b })).toBeCloseTo(expected, 11);
  });

  test.each([
    [0.02, 3],
    [1, 0.1],
    [1, 10],
    [5, 4],
  ])('has mean 1 at the limit of %d a day over %d days, exactly, and less below it', (limit, time) => {
    const e = (harms: number) => countLogE({ harms, time, limit }, countPrior(limit));
    expect(expectation(limit * time, e)).toBeCloseTo(1, 10);
    expect(expectation(0.7 * limit * time, e)).toBeLessThan(1);
  });

  test('rises in S, falls in T and in the limit, and stays finite', () => {
    const someCount = fc.record({
      harms: fc.nat(500),
      time: fc.double({ min: 0.01, max: 500, noNaN: true }),
      limit: fc.double({ min: 0.001, max: 100, noNaN: true }),
    });
    fc.assert(
      fc.property(someCount, (count) => {
        const prior = countPrior(count.limit);
        const log = countLogE(count, prior);
        expect(Number.isFinite(log)).toBe(true);
        expect(countLogE({ ...count, harms: count.harms + 1 }, prior)).toBeGreaterThan(log);
        expect(countLogE({ ...count, time: count.time * 1.1 }, prior)).toBeLessThan(log + 1e-9);
        const higher = count.limit * 1.1;
        expect(countLogE({ ...count, limit: higher }, countPrior(higher))).toBeLessThan(log + 1e-9);
      }),
    );
    expect(Number.isFinite(countLogE({ harms: 1_000_000, time: 1, limit: 0.001 }, countPrior(0.001)))).toBe(
      true,
    );
  });

  test('does not depend on the unit of time', () => {
    const a = countLogE({ harms: 7, time: 3, limit: 0.5 }, countPrior(0.5));
    const b = countLogE({ harms: 7, time: 72, limit: 0.5 / 24 }, countPrior(0.5 / 24));
    expect(a).toBeCloseTo(b, 10);
  });

  test.each([
    [-1, 1, 1],
    [0.5, 1, 1],
    [1, -1, 1],
    [1, Number.NaN, 1],
    [1, 1, 0],
    [1, 1, Number.POSITIVE_INFINITY],
  ])('refuses %d harms in %d days against %d', (harms, time, limit) => {
    expect(() => countLogE({ harms, time, limit }, { a: 1, b: 1 })).toThrow(RangeError);
  });
});

const days = (harms: readonly number[], time = 1): CountDay[] =>
  harms.map((n, day) => ({ day, time, harms: n }));

describe('countRestartLogE()', () => {
  const restart = (all: readonly CountDay[], limit: number) =>
    countRestartLogE(all, limit, countPrior(limit));

  test('is STATISTICS 4.6 of the prior on a grid: S_t = f_t·(S_{t−1} + g_t) for every l', () => {
    const [limit, harms] = [0.8, [0, 3, 1, 0, 7]];
    const { a, b } = countPrior(limit);
    let [weights, sum] = [0, 0];
    for (let l = limit + 0.0005; l < 60; l += 0.001) {
      const weight = l ** (a - 1) * Math.exp(-b * l);
      let s = 0;
      for (const [i, n] of harms.entries())
        s = (l / limit) ** n * Math.exp(limit - l) * (s + 1 / ((i + 1) * (i + 2)));
      weights += weight;
      sum += weight * s;
    }
    expect(restart(days(harms), limit)).toBeCloseTo(Math.log(sum / weights + 1 / (harms.length + 1)), 5);
  });

  test('has mean 1 at the limit over three days, exactly', () => {
    const [limit, logs] = [0.6, [...logPoisson(0.6, 20).entries()]];
    let sum = 0;
    for (const [x, p] of logs)
      for (const [y, q] of logs)
        for (const [z, r] of logs)
          sum += Math.exp(p + q + r + countRestartLogE(days([x, y, z]), limit, { a: 2, b: 20 }));
    expect(sum).toBeCloseTo(1, 9);
  });

  test('order of the rows is no matter, E before any day is 1', () => {
    const all = days([0, 4, 1, 0, 2]);
    expect(restart(all.toReversed(), 1)).toBe(restart(all, 1));
    expect(restart([], 1)).toBe(0);
  });

  test('harm is found after weeks of idling nearly as soon as at once', () => {
    const burst = [3, 2, 4, 3];
    const late = days([...Array.from({ length: 40 }, () => 0), ...burst]);
    const counted = countLogE({ harms: 12, time: 44, limit: 0.5 }, countPrior(0.5));
    expect(restart(late, 0.5)).toBeGreaterThan(thresholdLogE(ALPHA, 0.05) - 3);
    expect(restart(late, 0.5)).toBeGreaterThan(counted + 5);
  });

  test('days at 10 % of the exposure allow 10 % of the harms', () => {
    const [whole, part] = [restart(days([2, 1, 3]), 0.1), restart(days([2, 1, 3], 0.1), 1)];
    expect(part).toBeCloseTo(whole, 10);
  });

  test('pooledCountLogE() of one segment is its own, and of several finds what is thin in each', () => {
    const one = days([1, 0, 2]);
    expect(pooledCountLogE([{ limit: 0.4, days: one }])).toBeCloseTo(restart(one, 0.4), 10);
    const many = Array.from({ length: 20 }, () => ({ limit: 0.1, days: days([0, 1, 0, 1]) }));
    expect(Math.max(...many.map(({ limit, days: own }) => restart(own, limit)))).toBeLessThan(4);
    expect(pooledCountLogE(many)).toBeGreaterThan(15);
  });
});

describe('a rate and its companion', () => {
  const [limit, volume, runs, horizon] = [0.05, 20, 400, 45];
  const { rate, count } = withCompanions(1, { counted: true, compared: false });

  interface Ends {
    rate: number;
    count: number;
  }

  /** Days until each fires, of an agent that begins `begins` harmless and `harms` harmful subject-days a day. */
  function run(random: Random, begins: number, harms: number, most = horizon): Ends {
    const buckets: { day: number; events: number; harms: number }[] = [];
    const ends = { rate: Number.POSITIVE_INFINITY, count: Number.POSITIVE_INFINITY };
    for (let day = 0; day < most; day += 1) {
      const found = poisson(random, harms);
      buckets.push({ day, events: found + poisson(random, begins), harms: found });
      if (restartLogE(buckets, limit) >= thresholdLogE(ALPHA, rate)) ends.rate = Math.min(ends.rate, day);
      const own = buckets.map((bucket) => ({ ...bucket, time: 1 }));
      const logE = countRestartLogE(own, limit * volume, countPrior(limit * volume));
      if (logE >= thresholdLogE(ALPHA, count)) ends.count = Math.min(ends.count, day);
    }
    return ends;
  }

  const runAll = (seed: number, begins: number, harms: number, most = runs): Ends[] => {
    const random = seeded(seed);
    return Array.from({ length: most }, () => run(random, begins, harms));
  };

  test('share one weight, and a rate without a companion keeps all of it', () => {
    expect(rate + count).toBe(1);
    expect(withCompanions(0.08, { counted: false, compared: false })).toEqual({
      rate: 0.08,
      count: 0,
      control: 0,
    });
    expect(withCompanions(0, { counted: true, compared: false })).toEqual({ rate: 0, count: 0, control: 0 });
    expect(withCompanions(0.08, { counted: true, compared: true })).toEqual({
      rate: 0.04,
      count: 0.02,
      control: 0.02,
    });
    expect(withCompanions(0.08, { counted: false, compared: true })).toEqual({
      rate: 0.04,
      count: 0,
      control: 0.04,
    });
  });

  test('stop an agent exactly at the limit with its normal volume in at most alpha of the runs, looked at every day', () => {
    const ends = runAll(SEED + 1, volume * (1 - limit), volume * limit);
    const stopped = ends.filter(({ rate: r, count: c }) => Math.min(r, c) < Number.POSITIVE_INFINITY);
    expect(stopped.length / runs).toBeLessThanOrEqual(mostFalse(ALPHA, runs));
  }, 60_000);

  test.each([0.5, 3, 30])(
    'and so with a figure that is itself measured, in 30 days of a baseline with %d writes a day',
    (writesPerDay) => {
      const random = seeded(SEED + 4);
      let stopped = 0;
      for (let n = 0; n < runs; n += 1) {
        const byDay = Array.from({ length: 30 }, () => poisson(random, writesPerDay));
        const writes = byDay.reduce((sum, one) => sum + one, 0);
        const volume30 = { segment: 'gold', metric: 'wrong', writes, unasked: 0, days: 30 };
        const { perDay } = dayLimit(volume30, limit, undefined);
        if (perDay === null) continue;
        const found: CountDay[] = [];
        for (let day = 0; day < 60; day += 1)
          found.push({ day, time: 1, harms: poisson(random, writesPerDay * limit) });
        const fires = found.some(
          ({ harms }, day) =>
            harms > 0 &&
            countRestartLogE(found.slice(0, day + 1), perDay, countPrior(perDay)) >=
              thresholdLogE(ALPHA, count),
        );
        if (fires) stopped += 1;
      }
      expect(stopped / runs).toBeLessThanOrEqual(mostFalse(ALPHA * count, runs));
    },
    60_000,
  );

  test('an agent that dilutes the rate by tenfold harmless writes is stopped by the count alone', () => {
    // Four times the harm of the limit, at half of its rate.
    const ends = runAll(SEED + 2, 10 * volume * (1 - limit), 4 * volume * limit, 60);
    expect(ends.filter((end) => end.rate < Number.POSITIVE_INFINITY)).toEqual([]);
    expect(ends.filter((end) => end.count === Number.POSITIVE_INFINITY)).toEqual([]);
    expect(median(ends.map((end) => end.count))).toBeLessThanOrEqual(5);
  }, 60_000);

  test('the same harness convicts a count that is looked at every day as if it were looked at once', () => {
    const random = seeded(SEED + 3);
    let wrong = 0;
    for (let n = 0; n < runs; n += 1) {
      let harms = 0;
      let fired = false;
      for (let day = 1; day <= horizon; day += 1) {
        harms += poisson(random, 1);
        fired ||= day >= 5 && harms > day + 1.645 * Math.sqrt(day);
      }
      if (fired) wrong += 1;
    }
    expect(wrong / runs).toBeGreaterThan(0.15);
  });
});

test('what it is at most is never less than it, and says soon that a quiet time fires nothing', () => {
  const day = fc.record({
    harms: fc.integer({ min: 0, max: 12 }),
    time: fc.double({ min: 0.01, max: 1, noNaN: true }),
  });
  fc.assert(
    fc.property(
      fc.array(day, { maxLength: 30 }),
      fc.double({ min: 0.01, max: 20, noNaN: true }),
      (all, limit) => {
        const days = all.map((one, at) => ({ ...one, day: at }));
        const exact = countRestartLogE(days, limit, countPrior(limit));
        expect(countRestartMost(days, limit)).toBeGreaterThanOrEqual(exact - 1e-9);
      },
    ),
  );
  const quiet = Array.from({ length: 60 }, (_, at) => ({ day: at, time: 1, harms: at % 2 }));
  expect(countRestartMost(quiet, 0.6)).toBeLessThan(thresholdLogE(ALPHA, 1));
});
