import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BinaryCounts, DayBucket } from '../../../../src/domain/evidence/eprocess.ts';
import { pooledRestartLogE } from '../../../../src/domain/evidence/eprocess.ts';
import type { DataState, JudgeInput, Verdict } from '../../../../src/domain/evidence/guardrail.ts';
import {
  addSafety,
  judge,
  MORE_NEEDED_MAX,
  planningEvents,
} from '../../../../src/domain/evidence/guardrail.ts';
import type { SumState } from '../../../../src/domain/evidence/sum-process.ts';
import { addValue, EMPTY_SUM } from '../../../../src/domain/evidence/sum-process.ts';

const LIMIT = 0.02;
const NOTHING: BinaryCounts = { events: 0, harms: 0 };

type Given = Partial<Omit<JudgeInput, 'evidence'>> & {
  limit?: number;
  buckets?: readonly DayBucket[];
  mature?: BinaryCounts;
};

function judgeRate({ limit = LIMIT, buckets = [], mature = NOTHING, ...rest }: Given): Verdict {
  const evidence = { kind: 'rate', limit, buckets, mature: { known: mature.events, ...mature } } as const;
  return judge({ alpha: 0.05, weight: 1, minSample: 0, dataState: 'live', ...rest, evidence });
}

const oneDay = (events: number, harms: number): readonly DayBucket[] => [{ day: 1, events, harms }];
const HARMFUL = oneDay(100, 20);
const QUIET: Given = { buckets: oneDay(2_000, 5), mature: { events: 2_000, harms: 5 } };

const aState = fc.constantFrom<DataState>('live', 'no-data', 'source-down');
const someCounts = fc
  .tuple(fc.nat(3_000), fc.nat(100))
  .map(([clean, harms]) => ({ events: clean + harms, harms }));
const someBuckets = fc.array(
  fc.tuple(fc.nat(90), someCounts).map(([day, counts]) => ({ day, ...counts })),
  { maxLength: 8 },
);
const aGiven = fc.record({
  buckets: someBuckets,
  mature: someCounts,
  limit: fc.constantFrom(0, 0.01, 0.02, 0.1, 1),
  weight: fc.constantFrom(0, 0.001, 0.5, 1),
  minSample: fc.nat(500),
  dataState: aState,
  breachedBefore: fc.boolean(),
});

describe('judge() of a rate', () => {
  test('judge() says breach when the restart mixture reaches the threshold, and not before', () => {
    const verdict = judgeRate({ buckets: HARMFUL });
    expect(verdict).toMatchObject({
      verdict: 'breach',
      events: 100,
      harms: 20,
      estimate: 0.2,
      moreNeeded: null,
    });
    const justBelow = judgeRate({ buckets: HARMFUL, weight: Math.exp(-verdict.logE) / 0.05 / 1.001 });
    expect(justBelow.verdict).not.toBe('breach');
    expect(judgeRate({ buckets: HARMFUL, weight: Math.exp(-verdict.logE) / 0.05 / 0.999 }).verdict).toBe(
      'breach',
    );
  });

  test('judge() says ok when the mature upper bound is below the limit', () => {
    const verdict = judgeRate(QUIET);
    expect(verdict.verdict).toBe('ok');
    expect(verdict.upperBoundWithSilence).toBeLessThan(LIMIT);
    expect(verdict.moreNeeded).toBe(0);
  });

  test('judge() does not say ok for events that are not mature', () => {
    expect(judgeRate({ ...QUIET, mature: NOTHING }).verdict).toBe('inconclusive');
  });

  test('judge() says ok exactly when the upper bound is below the limit', () => {
    fc.assert(
      fc.property(someCounts, fc.constantFrom(0.01, 0.05, 0.2), (mature, limit) => {
        const { verdict, upperBoundWithSilence: upperBound } = judgeRate({ mature, limit });
        expect(verdict).toBe((upperBound ?? 1) < limit ? 'ok' : 'inconclusive');
      }),
    );
  });

  test('judge() holds ok back until the minimum sample, and never a breach', () => {
    expect(judgeRate({ ...QUIET, minSample: 2_100 })).toMatchObject({
      verdict: 'inconclusive',
      moreNeeded: 100,
    });
    expect(judgeRate({ buckets: HARMFUL, minSample: 1_000_000 }).verdict).toBe('breach');
  });

  test('judge() says how many more harmless events give ok, exactly', () => {
    fc.assert(
      fc.property(someCounts, fc.constantFrom(0.01, 0.05, 0.2), fc.nat(400), (mature, limit, minSample) => {
        const more = judgeRate({ mature, limit, minSample }).moreNeeded ?? Number.NaN;
        const withMore = (added: number) =>
          judgeRate({ mature: { events: mature.events + added, harms: mature.harms }, limit, minSample })
            .verdict;
        expect(withMore(more)).toBe('ok');
        if (more > 0) expect(withMore(more - 1)).toBe('inconclusive');
      }),
    );
  });

  test('judge() caps moreNeeded where no number of harmless events is proof', () => {
    expect(judgeRate({ limit: 0, mature: { events: 10, harms: 0 } }).moreNeeded).toBe(MORE_NEEDED_MAX);
  });

  test('judge() never lets a guardrail of weight 0 fire, even at an infinite E', () => {
    const verdict = judgeRate({ buckets: HARMFUL, limit: 0, weight: 0 });
    expect(verdict).toMatchObject({ verdict: 'inconclusive', thresholdLogE: null, logE: Number.MAX_VALUE });
  });

  test('judge() knows nothing without events', () => {
    const unknown = {
      verdict: 'inconclusive',
      eValue: 1,
      logE: 0,
      estimate: null,
      lowerBoundReported: 0,
      upperBoundWithSilence: 1,
    };
    expect(judgeRate({})).toMatchObject(unknown);
  });
});

describe('judge() in an outage', () => {
  test.each(['no-data', 'source-down'] as const)(
    'judge() says %s, never ok, and leaves E unchanged',
    (dataState) => {
      const live = judgeRate(QUIET);
      expect(judgeRate({ ...QUIET, dataState })).toEqual({ ...live, verdict: dataState });
    },
  );

  test.each(['no-data', 'source-down'] as const)('judge() keeps a breach in %s', (dataState) => {
    expect(judgeRate({ buckets: HARMFUL, dataState }).verdict).toBe('breach');
  });

  test('judge() keeps a breach that good days have since diluted', () => {
    const diluted = [...HARMFUL, { day: 2, events: 100_000, harms: 0 }];
    expect(judgeRate({ buckets: diluted }).verdict).toBe('inconclusive');
    expect(judgeRate({ buckets: diluted, breachedBefore: true }).verdict).toBe('breach');
  });

  test('judge() adds nothing for the days of an outage, which have no bucket, however many', () => {
    const later = (day: number) => judgeRate({ buckets: [...oneDay(500, 9), { day, events: 4, harms: 1 }] });
    expect(later(60)).toEqual(later(2));
  });
});

describe('judge() in general', () => {
  test('judge() is total, survives JSON and gives the same bits again', () => {
    fc.assert(
      fc.property(aGiven, (given) => {
        const verdict = judgeRate(given);
        expect(JSON.parse(JSON.stringify(verdict))).toEqual(verdict);
        expect(judgeRate(structuredClone(given))).toEqual(verdict);
        if (given.dataState !== 'live') expect(['breach', given.dataState]).toContain(verdict.verdict);
        if (given.breachedBefore) expect(verdict.verdict).toBe('breach');
      }),
      { numRuns: 60 },
    );
  });
});

describe('judge() of sums and pools', () => {
  const limit = 2;
  const cap = 10;
  const sumOf = (values: readonly number[]): SumState =>
    values.reduce((state, x) => addValue(state, x, limit), EMPTY_SUM);
  const safetyOf = (values: readonly number[]): SumState =>
    values.reduce((state, x) => addSafety(state, x, cap, limit), EMPTY_SUM);
  const judgeSum = (values: readonly number[], safety: SumState | null, minSample = 0): Verdict => {
    const mature = safety && { cap, safety };
    const evidence = { kind: 'sum', limit, buckets: [{ day: 1, ...sumOf(values) }], mature } as const;
    return judge({ evidence, alpha: 0.05, weight: 1, minSample, dataState: 'live' });
  };
  const repeated = (x: number, count: number): number[] => Array.from({ length: count }, () => x);

  test('judge() says breach when the mean is far above the limit', () => {
    const verdict = judgeSum(repeated(8, 20), null);
    expect(verdict).toMatchObject({
      verdict: 'breach',
      estimate: 8,
      harms: null,
      upperBoundWithSilence: null,
    });
  });

  test('judge() says ok for a capped sum proved below the limit', () => {
    expect(judgeSum(repeated(0.5, 100), safetyOf(repeated(0.5, 100)))).toMatchObject({
      verdict: 'ok',
      estimate: 0.5,
    });
  });

  test('judge() never says ok for a sum without a cap', () => {
    expect(judgeSum(repeated(0.5, 100), null)).toMatchObject({ verdict: 'inconclusive', moreNeeded: null });
  });

  test('judge() says how many more free events give ok, exactly', () => {
    const safety = safetyOf(repeated(1.5, 6));
    const more = judgeSum([], safety).moreNeeded ?? Number.NaN;
    const withMore = (added: number): Verdict =>
      judgeSum(
        [],
        repeated(0, added).reduce((state) => addSafety(state, 0, cap, limit), safety),
      );
    expect(more).toBeGreaterThan(0);
    expect(withMore(more).verdict).toBe('ok');
    expect(withMore(more - 1).verdict).toBe('inconclusive');
  });

  test('judge() of a pool says breach for harm spread thin, and is never ok', () => {
    const judgePool = (harms: number): Verdict => {
      const segments = repeated(0, 50).map(() => ({ limit: LIMIT, buckets: oneDay(20, harms) }));
      const evidence = {
        kind: 'pooled',
        logE: pooledRestartLogE(segments),
        events: 1_000,
        harms: 50 * harms,
      } as const;
      return judge({ evidence, alpha: 0.05, weight: 0.5, minSample: 0, dataState: 'live' });
    };
    expect(judgePool(1)).toMatchObject({ verdict: 'breach', estimate: 0.05 });
    expect(judgePool(0)).toMatchObject({ verdict: 'inconclusive', moreNeeded: null });
    expect(judgeRate({ buckets: oneDay(20, 1), weight: 0.4 / 50 }).verdict).toBe('inconclusive');
  });
});

describe('planningEvents()', () => {
  test('planningEvents() gives the values of STATISTICS 4.7', () => {
    expect(Math.round(planningEvents(0.02, 0.05, 0.05, 1))).toBe(184);
    expect(Math.round(planningEvents(0.02, 0.1, 0.05, 1))).toBe(36);
  });

  test('planningEvents() is endless at or below the limit and 1 at least', () => {
    expect(planningEvents(0.02, 0.02, 0.05, 1)).toBe(Number.POSITIVE_INFINITY);
    expect(planningEvents(0.02, 0.05, 0.05, 0)).toBe(Number.POSITIVE_INFINITY);
    expect(planningEvents(0, 0.05, 0.05, 1)).toBe(1);
    expect(planningEvents(0.02, 1, 0.05, 1)).toBeGreaterThanOrEqual(1);
    expect(() => planningEvents(-1, 0.5, 0.05, 1)).toThrow(RangeError);
  });
});
