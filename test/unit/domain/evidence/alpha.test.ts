import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type AlphaWeight,
  allotAlpha,
  type GuardrailShare,
  laterSegmentWeight,
  sharesOf,
  thresholdLogE,
  withLaterSegment,
} from '../../../../src/domain/evidence/alpha.ts';
import type { DayBucket } from '../../../../src/domain/evidence/eprocess.ts';
import {
  betLogs,
  pooledRestartLogE,
  RESTART_START,
  restartAfter,
  restartStateLogE,
} from '../../../../src/domain/evidence/eprocess.ts';
import { type Random, seeded } from '../../../support/seeded.ts';

const SEED = 20_261_121;
const ALPHA = 0.05;

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const withLater = (
  weights: readonly AlphaWeight[],
  guardrails: readonly GuardrailShare[],
  later: readonly string[],
) => later.reduce((all, segment, i) => withLaterSegment(all, guardrails, { segment, j: i + 1 }), weights);
const total = (rows: readonly { weight: number }[]) => rows.reduce((sum, { weight }) => sum + weight, 0);

/** The most false alarms that a level of `alpha` explains: 2.33 standard deviations, 1 % one-sided. */
const mostFalse = (alpha: number, runs: number) => alpha + 2.33 * Math.sqrt((alpha * (1 - alpha)) / runs);

describe('allotAlpha()', () => {
  test('allotAlpha() gives half to the pool, 0.4 to the starting segments, the reserve by 6/(π²j²)', () => {
    const guardrails = [
      { guardrail: 'errors', share: 0.75 },
      { guardrail: 'cost', share: 0.25 },
      { guardrail: 'tone', share: 0, reportsOnly: true },
    ];
    const starting = allotAlpha({ guardrails, startingSegments: ['gold', 'silver'] });
    const rows = withLaterSegment(starting, guardrails, { segment: 'bronze', j: 1 });
    const weightOf = (guardrail: string, segment: string) =>
      rows.find((row) => row.guardrail === guardrail && row.segment === segment)?.weight;
    expect(weightOf('errors', '*')).toBeCloseTo(0.375, 15);
    expect(weightOf('errors', 'gold')).toBeCloseTo(0.15, 15);
    expect(weightOf('cost', 'silver')).toBeCloseTo(0.05, 15);
    expect(weightOf('cost', 'bronze')).toBeCloseTo((0.025 * 6) / Math.PI ** 2, 15);
    expect(weightOf('tone', '*')).toBe(0);
    expect(weightOf('tone', 'gold')).toBe(0);
    expect(rows).toHaveLength(12);
  });

  test('never more than 1 is given out, whatever comes later', () => {
    const counts = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(60), fc.nat(300));
    fc.assert(
      fc.property(counts, fc.nat(5), ([acting, starting, later], reporting) => {
        const guardrails = sharesOf([
          ...names('acts', acting).map((metric) => ({ metric, share: 1, action: 'rollback' as const })),
          ...names('reports', reporting).map((metric) => ({ metric, share: 1, action: 'report' as const })),
        ]);
        const sum = total(
          withLater(
            allotAlpha({ guardrails, startingSegments: names('start', starting) }),
            guardrails,
            names('later', later),
          ),
        );
        expect(sum).toBeLessThanOrEqual(1);
        expect(sum).toBeGreaterThanOrEqual(starting > 0 ? 0.9 - 1e-12 : 0.5 - 1e-12);
      }),
    );
  });

  test('a segment that comes later changes none of the weights already given, and comes once', () => {
    const guardrails = sharesOf([{ metric: 'errors', share: 1, action: 'rollback' }]);
    const before = withLater(allotAlpha({ guardrails, startingSegments: ['gold'] }), guardrails, ['a']);
    const after = withLaterSegment(before, guardrails, { segment: 'b', j: 2 });
    expect(after.slice(0, before.length)).toEqual(before);
    expect(() => withLaterSegment(after, guardrails, { segment: 'gold', j: 3 })).toThrow('named twice');
  });

  test('allotAlpha() gives nothing when every guardrail only reports', () => {
    const guardrails = sharesOf([{ metric: 'tone', share: 1, action: 'report' }]);
    expect(total(allotAlpha({ guardrails, startingSegments: ['gold'] }))).toBe(0);
  });

  test.each([[[0.5, 0.4]], [[0.7, 0.7]], [[-0.5, 1.5]], [[Number.NaN, 1]]])(
    'allotAlpha() refuses the shares %j',
    ([a, b]) => {
      const guardrails = [
        { guardrail: 'errors', share: a as number },
        { guardrail: 'cost', share: b as number },
      ];
      expect(() => allotAlpha({ guardrails, startingSegments: [] })).toThrow(RangeError);
    },
  );

  test('allotAlpha() refuses a name given twice and the name of the pool', () => {
    const guardrails = sharesOf([{ metric: 'errors', share: 1, action: 'rollback' }]);
    expect(() => allotAlpha({ guardrails, startingSegments: ['gold', 'gold'] })).toThrow('gold');
    expect(() => allotAlpha({ guardrails, startingSegments: ['*'] })).toThrow('segment');
    expect(() => allotAlpha({ guardrails: [...guardrails, ...guardrails], startingSegments: [] })).toThrow(
      'guardrail',
    );
  });
});

describe('sharesOf()', () => {
  const shares = (...given: [share: number, action: 'rollback' | 'report'][]) =>
    sharesOf(given.map(([share, action], n) => ({ metric: `g-${n}`, share, action }))).map(
      ({ share }) => share,
    );

  test('those that act share all of it as they are weighed, those that only report get nothing', () => {
    expect(shares([1, 'rollback'])).toEqual([1]);
    expect(shares([3, 'rollback'], [1, 'rollback'])).toEqual([0.75, 0.25]);
    expect(shares([2, 'rollback'], [7, 'report'], [2, 'rollback'])).toEqual([0.5, 0, 0.5]);
    expect(shares([1, 'report'], [1, 'report'])).toEqual([0, 0]);
  });
});

describe('weights and thresholds', () => {
  test('laterSegmentWeight() sums to the reserve', () => {
    const weights = Array.from({ length: 100_000 }, (_, i) => ({ weight: laterSegmentWeight(1, i + 1) }));
    expect(total(weights)).toBeLessThan(0.1);
    expect(total(weights)).toBeGreaterThan(0.0999);
    expect(() => laterSegmentWeight(1, 0)).toThrow(RangeError);
  });

  test('thresholdLogE() is log(1/(alpha·weight)), infinite for weight 0', () => {
    expect(thresholdLogE(0.05, 1)).toBeCloseTo(Math.log(20), 12);
    expect(thresholdLogE(0.05, 0.02)).toBeCloseTo(Math.log(1_000), 12);
    expect(thresholdLogE(0.05, 0)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each([
    [0, 1],
    [1, 1],
    [Number.NaN, 1],
    [0.05, -0.1],
    [0.05, 1.1],
  ])('thresholdLogE() refuses alpha %d with weight %d', (alpha, weight) => {
    expect(() => thresholdLogE(alpha, weight)).toThrow(RangeError);
  });
});

describe('family-wise error over 50 segments at the limit', () => {
  const [runs, segments, days, daySize] = [300, 50, 20, 50];
  const limit = 0.02;

  function drawBuckets(random: Random): DayBucket[][] {
    const harmsOfDay = () => {
      let harms = 0;
      for (let i = 0; i < daySize; i += 1) if (random() < limit) harms += 1;
      return harms;
    };
    return Array.from({ length: segments }, () =>
      Array.from({ length: days }, (_, day) => ({ day, events: daySize, harms: harmsOfDay() })),
    );
  }

  /** The highest log E at the end of any day. */
  function peakOf(buckets: readonly DayBucket[]): number {
    let [state, peak] = [RESTART_START, 0];
    for (const bucket of buckets) {
      state = restartAfter(state, betLogs(bucket, limit));
      peak = Math.max(peak, restartStateLogE(state));
    }
    return peak;
  }

  function pooledPeakOf(all: readonly (readonly DayBucket[])[]): number {
    const upTo = (day: number) => all.map((buckets) => ({ limit, buckets: buckets.slice(0, day + 1) }));
    return Math.max(...Array.from({ length: days }, (_, day) => pooledRestartLogE(upTo(day))));
  }

  let peaks: { segment: number; pooled: number }[] = [];
  beforeAll(() => {
    const random = seeded(SEED + 7);
    peaks = Array.from({ length: runs }, () => {
      const all = drawBuckets(random);
      return { segment: Math.max(...all.map(peakOf)), pooled: pooledPeakOf(all) };
    });
  }, 60_000);
  const share = (fired: (peak: { segment: number; pooled: number }) => boolean) =>
    peaks.filter(fired).length / runs;
  const segmentFires = thresholdLogE(ALPHA, 0.4 / segments);
  const pooledFires = thresholdLogE(ALPHA, 0.5);

  test('restartLogE() and pooledRestartLogE() at their weights fire in at most alpha of the runs', () => {
    const any = share(({ segment, pooled }) => segment >= segmentFires || pooled >= pooledFires);
    expect(any).toBeLessThanOrEqual(mostFalse(ALPHA, runs));
  });

  test('pooledRestartLogE() at weight 1/2 fires in at most alpha/2 of the runs', () => {
    expect(share(({ pooled }) => pooled >= pooledFires)).toBeLessThanOrEqual(mostFalse(ALPHA / 2, runs));
  });

  test('the same harness convicts segments that each take all of alpha', () => {
    expect(share(({ segment }) => segment >= thresholdLogE(ALPHA, 1))).toBeGreaterThan(0.25);
  });
});
