import { expect, test } from 'vitest';
import { DRIFT_DAYS, driftLogE, sumDriftLogE } from '../../../../src/domain/evidence/drift.ts';
import { logE, restartLogE } from '../../../../src/domain/evidence/eprocess.ts';
import { randomFrom } from '../../../../src/domain/evidence/forecast.ts';
import { addValue, EMPTY_SUM } from '../../../../src/domain/evidence/sum-process.ts';

/** One event a day: every path of 12 days, with its chance. */
function* paths(
  p: number,
): Generator<{ chance: number; buckets: { day: number; events: number; harms: number }[] }> {
  for (let path = 0; path < 2 ** 12; path += 1) {
    let chance = 1;
    const buckets = Array.from({ length: 12 }, (_, day) => {
      const harms = (path >> day) & 1;
      chance *= harms ? p : 1 - p;
      return { day, events: 1, harms };
    });
    yield { chance, buckets };
  }
}

test('at the limit its mean is at most the days that passed, exactly: an e-detector', () => {
  let [mean, below] = [0, 0];
  for (const { chance, buckets } of paths(0.3)) mean += chance * Math.exp(driftLogE(buckets, 0.3));
  for (const { chance, buckets } of paths(0.2)) below += chance * Math.exp(driftLogE(buckets, 0.3));
  expect(mean).toBeLessThanOrEqual(12 + 1e-9);
  expect(mean).toBeGreaterThan(1);
  expect(below).toBeLessThan(mean);
});

test('of a sum it is the same: whose values are harm or none, to what its logs were rounded', () => {
  const days = [[1, 0, 0], [0], [1, 1]];
  const sums = days.map((values, day) => ({
    day,
    ...values.reduce((state, x) => addValue(state, x, 0.3), EMPTY_SUM),
  }));
  const counts = days.map((values, day) => ({
    day,
    events: values.length,
    harms: values.filter((x) => x === 1).length,
  }));
  expect(sumDriftLogE(sums.toReversed())).toBeCloseTo(driftLogE(counts, 0.3), 7);
});

test('one day is the e-process of that day; the order of buckets in a day is no matter', () => {
  const day = [
    { day: 3, events: 5, harms: 1 },
    { day: 3, events: 2, harms: 2 },
  ];
  expect(driftLogE(day, 0.1)).toBeCloseTo(logE({ events: 7, harms: 3 }, 0.1), 12);
  expect(driftLogE(day.toReversed(), 0.1)).toBe(driftLogE(day, 0.1));
  expect(driftLogE([], 0.1)).toBe(0);
});

test('a late change is noticed sooner than it is taken back, and a healthy segment hardly ever', () => {
  const random = randomFrom(20261121);
  const play = (rate: (day: number) => number, days: number) => {
    const buckets: { day: number; events: number; harms: number }[] = [];
    let [noticed, taken] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
    for (let day = 0; day < days; day += 1) {
      let harms = 0;
      for (let n = 0; n < 20; n += 1) if (random() < rate(day)) harms += 1;
      buckets.push({ day, events: 20, harms });
      if (driftLogE(buckets, 0.02) >= Math.log(DRIFT_DAYS)) noticed = Math.min(noticed, day);
      if (restartLogE(buckets, 0.02) >= Math.log(1 / (0.05 / 50))) taken = Math.min(taken, day);
    }
    return { noticed, taken };
  };
  const late = Array.from({ length: 60 }, () => play((day) => (day < 45 ? 0.01 : 0.08), 90));
  const middle = (values: number[]) => values.sort((a, b) => a - b)[30] ?? 0;
  expect(middle(late.map(({ noticed }) => noticed))).toBeLessThan(middle(late.map(({ taken }) => taken)));
  const healthy = Array.from({ length: 60 }, () => play(() => 0.02, 90));
  // On average once in a thousand days at most: in 5,400 a handful.
  expect(healthy.filter(({ noticed }) => noticed < 90).length).toBeLessThan(10);
});
