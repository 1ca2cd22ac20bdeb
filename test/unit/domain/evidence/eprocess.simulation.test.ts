import { describe, expect, test } from 'vitest';
import type { BinaryCounts, DayBucket } from '../../../../src/domain/evidence/eprocess.ts';
import {
  BETS,
  betLogs,
  logE,
  pooledLogE,
  pooledRestartLogE,
  RESTART_START,
  restartAfter,
  restartLogE,
  restartStateLogE,
  safetyLogE,
} from '../../../../src/domain/evidence/eprocess.ts';
import { addValue, EMPTY_SUM, sumLogE } from '../../../../src/domain/evidence/sum-process.ts';
import { type Random, seeded } from '../../../support/seeded.ts';

const STREAM = [0, 1, 0, 0, 1, 1, 0, 1, 0, 1];
const PATH_LENGTH = 12;
const SEED = 20_261_121;
const ALPHA = 0.05;
const FIRES = Math.log(1 / ALPHA);

/** Watches one stream: called after each event; true once it fires. */
type Watch = (x: number) => boolean;

/** Event number at which the watch fires, looking after every event; Infinity when it never does. */
function firstFire(watch: Watch, draw: (i: number) => number, peeks: number): number {
  for (let i = 1; i <= peeks; i += 1) if (watch(draw(i))) return i;
  return Number.POSITIVE_INFINITY;
}

function delays(
  makeWatch: () => Watch,
  draw: (i: number) => number,
  streams: number,
  peeks: number,
): number[] {
  return Array.from({ length: streams }, () => firstFire(makeWatch(), draw, peeks));
}

const shareFired = (fired: readonly number[]) => fired.filter(Number.isFinite).length / fired.length;
const median = (fired: readonly number[]) => fired.toSorted((a, b) => a - b)[fired.length >> 1] as number;

/** The most false alarms that a level of `alpha` explains: 2.33 standard deviations, 1 % one-sided. */
const mostFalse = (alpha: number, runs: number) => alpha + 2.33 * Math.sqrt((alpha * (1 - alpha)) / runs);

const rate =
  (random: Random, p: (i: number) => number) =>
  (i: number): number =>
    random() < p(i) ? 1 : 0;

/** Fires on a rise of log E of the counts. E falls with every harmless event, so looking at the others suffices. */
const watchCounts = (value: (counts: BinaryCounts) => number, decisive: 0 | 1) => (): Watch => {
  const counts = { events: 0, harms: 0 };
  return (x) => {
    counts.events += 1;
    counts.harms += x;
    return x === decisive && value(counts) >= FIRES;
  };
};

const watchCumulative = (limit: number) => watchCounts((counts) => logE(counts, limit), 1);

const watchRestart = (limit: number, daySize: number) => (): Watch => {
  let past = RESTART_START;
  let today = { events: 0, harms: 0 };
  return (x) => {
    if (today.events === daySize) {
      past = restartAfter(past, betLogs(today, limit));
      today = { events: 0, harms: 0 };
    }
    today.events += 1;
    today.harms += x;
    return x === 1 && restartStateLogE(restartAfter(past, betLogs(today, limit))) >= FIRES;
  };
};

const watchNaiveZ = (limit: number) =>
  watchCounts(({ events, harms }) => {
    const z = (harms / events - limit) / Math.sqrt(((harms / events) * (1 - harms / events)) / events);
    return events >= 100 && z >= 1.645 ? FIRES : 0;
  }, 1);

const watchSum = (limit: number) => (): Watch => {
  let state = EMPTY_SUM;
  return (x) => {
    state = addValue(state, x, limit);
    return x > limit && sumLogE(state) >= FIRES;
  };
};

function countsOf(path: readonly number[]): BinaryCounts {
  return { events: path.length, harms: path.reduce((total, x) => total + x, 0) };
}

function daysOf(path: readonly number[], daySize: number): DayBucket[] {
  return Array.from({ length: path.length / daySize }, (_, day) => ({
    day,
    ...countsOf(path.slice(day * daySize, (day + 1) * daySize)),
  }));
}

function expectationOverPaths(p: number, weigh: (path: readonly number[]) => number): number {
  let sum = 0;
  for (let bits = 0; bits < 2 ** PATH_LENGTH; bits += 1) {
    const path = Array.from({ length: PATH_LENGTH }, (_, i) => (bits >> i) & 1);
    const harms = path.reduce((total, x) => total + x, 0);
    sum += p ** harms * (1 - p) ** (PATH_LENGTH - harms) * weigh(path);
  }
  return sum;
}

describe('martingale identity over all 2^12 paths', () => {
  test('logE() has expectation 1 at the limit and less below it', () => {
    const at = (p: number) => expectationOverPaths(p, (path) => Math.exp(logE(countsOf(path), 0.3)));
    expect(Math.abs(at(0.3) - 1)).toBeLessThan(1e-12);
    expect(at(0.2)).toBeCloseTo(0.5776, 4);
  });

  test('safetyLogE() has expectation 1 at the limit and less above it', () => {
    const at = (p: number) => expectationOverPaths(p, (path) => Math.exp(safetyLogE(countsOf(path), 0.3)));
    expect(Math.abs(at(0.3) - 1)).toBeLessThan(1e-12);
    expect(at(0.4)).toBeLessThan(1);
  });

  test.each([1, 3, 4, 12])('restartLogE() has expectation 1 at the limit, days of %i events', (daySize) => {
    const at = (p: number) =>
      expectationOverPaths(p, (path) => Math.exp(restartLogE(daysOf(path, daySize), 0.3)));
    expect(Math.abs(at(0.3) - 1)).toBeLessThan(1e-12);
    expect(at(0.2)).toBeLessThan(1);
  });

  test('pooledRestartLogE() has expectation 1 when each segment is at its own limit', () => {
    let sum = 0;
    for (let bits = 0; bits < 2 ** PATH_LENGTH; bits += 1) {
      const path = Array.from({ length: PATH_LENGTH }, (_, i) => (bits >> i) & 1);
      const chance = path.reduce((total, x, i) => total * Math.abs(1 - x - (i < 6 ? 0.3 : 0.1)), 1);
      const segments = [
        { limit: 0.3, buckets: daysOf(path.slice(0, 6), 2) },
        { limit: 0.1, buckets: daysOf(path.slice(6), 3) },
      ];
      sum += chance * Math.exp(pooledRestartLogE(segments));
    }
    expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
  });

  test('sumLogE() has expectation at most 1, short of it only by the rounding down', () => {
    const expectation = expectationOverPaths(0.3, (path) =>
      Math.exp(sumLogE(path.reduce((state, x) => addValue(state, x, 0.3), EMPTY_SUM))),
    );
    expect(expectation).toBeLessThanOrEqual(1);
    expect(expectation).toBeGreaterThan(1 - 1e-8);
  });
});

describe('golden values of STATISTICS 4.9', () => {
  test('BETS are 16, from 0.0095 to 0.95', () => {
    expect(BETS).toHaveLength(16);
    expect(BETS[0]).toBeCloseTo(0.0095, 15);
    expect(BETS[15]).toBe(0.95);
  });

  test('logE() gives the golden values', () => {
    expect(logE({ events: 100, harms: 5 }, 0.02)).toBeCloseTo(0.5705794492, 10);
    expect(logE(countsOf(STREAM), 0.3)).toBeCloseTo(0.3280145168, 10);
  });

  test('sumLogE() gives the golden value of the stream within its rounding', () => {
    expect(sumLogE(STREAM.reduce((state, x) => addValue(state, x, 0.3), EMPTY_SUM))).toBeCloseTo(
      0.3280145168,
      8,
    );
  });

  test('addValue() alone fires at about limit·(1/alpha)/0.22', () => {
    const alone = (x: number) => sumLogE(addValue(EMPTY_SUM, x, 1));
    expect(alone(85)).toBeLessThan(Math.log(20));
    expect(alone(95)).toBeGreaterThan(Math.log(20));
  });

  test('pooledLogE() sums each bet over the segments, each with its own limit', () => {
    const [a, b] = [
      { events: 40, harms: 3 },
      { events: 70, harms: 2 },
    ];
    const logs = betLogs(a, 0.02).map((log, j) => log + (betLogs(b, 0.05)[j] ?? 0));
    const expected = Math.log(logs.reduce((sum, log) => sum + Math.exp(log), 0) / 16);
    const segments = [
      { limit: 0.02, buckets: [{ day: 0, ...a }] },
      { limit: 0.05, buckets: [{ day: 3, ...b }] },
    ];
    expect(pooledLogE(segments)).toBeCloseTo(expected, 12);
  });
});

describe('type I error under peeking after every event, exactly at the limit', () => {
  const [streams, peeks] = [2_000, 3_000];
  const falseShare = (makeWatch: () => Watch, p: number, seed: number) =>
    shareFired(
      delays(
        makeWatch,
        rate(seeded(SEED + seed), () => p),
        streams,
        peeks,
      ),
    );

  test.each([0.02, 0.1])('logE() fires in at most alpha of the streams at %d, and is not blind', (p) => {
    const share = falseShare(watchCumulative(p), p, 1);
    expect(share).toBeLessThanOrEqual(mostFalse(ALPHA, streams));
    expect(share).toBeGreaterThan(0.015);
  });

  test.each([0.02, 0.1])(
    'restartLogE() fires in at most alpha of the streams at %d, and is not blind',
    (p) => {
      const share = falseShare(watchRestart(p, 50), p, 2);
      expect(share).toBeLessThanOrEqual(mostFalse(ALPHA, streams));
      expect(share).toBeGreaterThan(0.01);
    },
  );

  test('safetyLogE() proves a rate at the limit safe in at most alpha of the streams', () => {
    const watch = watchCounts((counts) => safetyLogE(counts, 0.1), 0);
    const share = shareFired(
      delays(
        watch,
        rate(seeded(SEED + 3), () => 0.1),
        1_000,
        1_000,
      ),
    );
    expect(share).toBeLessThanOrEqual(mostFalse(ALPHA, 1_000));
  });

  test.each([1, 1.5, 2])('sumLogE() fires in at most alpha of lognormal streams, sigma %d', (sigma) => {
    const random = seeded(SEED + 4);
    const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const draw = () => Math.exp(sigma * normal() - sigma ** 2 / 2);
    const share = shareFired(delays(watchSum(1), draw, 400, 500));
    expect(share).toBeLessThanOrEqual(mostFalse(ALPHA, 400));
  });

  test.each([0.02, 0.1])('the same harness convicts the naive z test at %d', (p) => {
    const share = falseShare(watchNaiveZ(p), p, 1);
    expect(share).toBeGreaterThan(0.19);
  });
});

describe('power', () => {
  test.each([
    [0.02, 0.05, 209],
    [0.02, 0.1, 42],
    [0.05, 0.15, 48],
    [0.1, 0.2, 77],
  ])('logE() finds limit %d broken by %d after about %i events', (limit, p, expected) => {
    const found = delays(
      watchCumulative(limit),
      rate(seeded(SEED + 5), () => p),
      2_000,
      3_000,
    );
    expect(median(found) / expected).toBeGreaterThan(0.85);
    expect(median(found) / expected).toBeLessThan(1.15);
  });

  test.each([1, 50])(
    'restartLogE() finds a late start within half the cumulative delay, days of %i',
    (daySize) => {
      const late = () => rate(seeded(SEED + 6), (i) => (i <= 2_000 ? 0.01 : 0.06));
      const delay = (makeWatch: () => Watch) => median(delays(makeWatch, late(), 400, 6_000)) - 2_000;
      const [restart, cumulative] = [delay(watchRestart(0.02, daySize)), delay(watchCumulative(0.02))];
      expect(restart).toBeLessThanOrEqual(cumulative / 2);
    },
  );
});
