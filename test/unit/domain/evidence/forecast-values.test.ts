import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BETS, logE, safetyLogE } from '../../../../src/domain/evidence/eprocess.ts';
import { reachOf } from '../../../../src/domain/evidence/forecast.ts';
import { asShares, topOf, type Values } from '../../../../src/domain/evidence/forecast-values.ts';
import { addSafety, judge } from '../../../../src/domain/evidence/guardrail.ts';
import { addValue, EMPTY_SUM, type SumState, sumLogE } from '../../../../src/domain/evidence/sum-process.ts';

/** What a sum, or a ratio by its excess, is judged by: the values and their bound. */
function weighed(values: Values, limit: number, isTop: boolean): { x: number; m: number; bound: number } {
  const { kind, cap = 0, perMax = 1 } = values;
  if (kind === 'sum') return { x: isTop ? cap : 0, m: limit, bound: cap };
  const [spent, done] = isTop ? [cap, 0] : [0, perMax];
  return { x: spent + limit * (perMax - done), m: limit * perMax, bound: cap + limit * perMax };
}

const valuesArbitrary = fc.record({
  kind: fc.constantFrom('sum' as const, 'ratio' as const),
  cap: fc.double({ min: 2, max: 1_000, noNaN: true }),
  perMax: fc.double({ min: 0.5, max: 5, noNaN: true }),
});
const limitArbitrary = fc.double({ min: 0.01, max: 1.5, noNaN: true });

describe('two values and a rate', () => {
  test('what takes back and what proves are those of the sum or the ratio itself, but for what is rounded', () => {
    const count = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(valuesArbitrary, limitArbitrary, count, count, (values, limit, tops, zeros) => {
        let [state, safety]: SumState[] = [EMPTY_SUM, EMPTY_SUM];
        for (let n = 0; n < tops + zeros; n++) {
          const { x, m, bound } = weighed(values, limit, n < tops);
          state = addValue(state as SumState, x, m);
          safety = addSafety(safety as SumState, x, bound, m);
        }
        const counts = { events: tops + zeros, harms: tops };
        const shares = asShares(values, limit, limit);
        expect(logE(counts, shares.limit)).toBeCloseTo(sumLogE(state as SumState), 5);
        expect(safetyLogE(counts, shares.limit)).toBeCloseTo(sumLogE(safety as SumState), 5);
      }),
      { numRuns: 60 },
    );
  });

  test('the mean that is said is the mean that is played', () => {
    fc.assert(
      fc.property(valuesArbitrary, limitArbitrary, limitArbitrary, (values, limit, mean) => {
        const { rate } = asShares(values, limit, mean);
        const { cap, perMax } = values;
        const played = values.kind === 'sum' ? rate * cap : (rate * cap) / ((1 - rate) * perMax);
        expect(played).toBeCloseTo(mean, 9);
      }),
    );
  });

  test('of all values of a sum with its mean they tell least', () => {
    const parts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(parts, limitArbitrary, (of, limit) => {
        const cap = 5;
        const mean = (cap * of.reduce((sum, part) => sum + part, 0)) / of.length;
        const { rate } = asShares({ kind: 'sum', cap }, limit, mean);
        for (const bet of BETS) {
          const log = (x: number) => Math.log1p(bet * (x / limit - 1));
          const others = of.reduce((sum, part) => sum + log(part * cap), 0) / of.length;
          expect(rate * log(cap) + (1 - rate) * log(0)).toBeLessThanOrEqual(others + 1e-9);
        }
      }),
    );
  });

  test('without a cap the larger value is ten times the limit, or the mean where that is more', () => {
    expect(topOf({ kind: 'sum' }, 3, 9)).toBe(30);
    expect(asShares({ kind: 'sum' }, 3, 60)).toEqual({ rate: 1, limit: 0.05 });
    expect(topOf({ kind: 'ratio', perMax: 2 }, 3, 600)).toBe(60);
    expect(asShares({ kind: 'ratio', perMax: 2 }, 3, 600).rate).toBeLessThan(1);
  });
});

describe('how many events `ok` takes of a sum', () => {
  const reach = (values: Values, limit: number) =>
    reachOf({
      alpha: 0.05,
      guardrails: [{ metric: 'cost', limit, reportsOnly: false, values }],
      shares: [],
      days: [{ gold: 1 }, { gold: 1 }, { gold: 1 }],
      traffic: () => 50,
      matureDays: { cost: 1 },
      okBy: { gold: 2 },
    })[0];

  test.each<Values>([
    { kind: 'sum', cap: 5 },
    { kind: 'ratio', cap: 20, perMax: 3 },
  ])('is what the judge of $kind says is missing when nothing came yet', (values) => {
    const { m, bound } = weighed(values, 0.4, false);
    const { moreNeeded } = judge({
      evidence: { kind: 'sum', limit: m, buckets: [], mature: { cap: bound, safety: EMPTY_SUM } },
      alpha: 0.05,
      weight: 0.4,
      minSample: 0,
      dataState: 'live',
    });
    const found = reach(values, 0.4);
    expect(found?.needed).toBe(moreNeeded);
    expect(found?.tooThin).toBe((moreNeeded ?? 0) > 100);
    expect(found?.neededAtHalf).toBeGreaterThan(moreNeeded ?? 0);
  });

  test('at half of the limit: one event fewer would not do, in the mean of what may come', () => {
    const { rate, limit } = asShares({ kind: 'sum', cap: 5 }, 0.4, 0.2);
    const log = (events: number) => safetyLogEMean(events, rate, limit);
    const needed = reach({ kind: 'sum', cap: 5 }, 0.4)?.neededAtHalf ?? 0;
    expect(log(needed)).toBeGreaterThanOrEqual(Math.log(20));
    expect(log(needed - 1)).toBeLessThan(Math.log(20));
  });

  test('without a cap none suffice, and that is not for want of traffic', () => {
    expect(reach({ kind: 'sum' }, 0.4)).toMatchObject({
      needed: null,
      neededAtHalf: null,
      okOnDay: null,
      tooThin: false,
    });
  });
});

/** By hand: each bet wins k·m/(1−m) on a harmless event and loses k on a harmful one. */
function safetyLogEMean(events: number, rate: number, limit: number): number {
  const logs = BETS.map(
    (k) => events * ((1 - rate) * Math.log1p(k * (1 / (1 - limit) - 1)) + rate * Math.log1p(-k)),
  );
  return Math.log(logs.reduce((sum, log) => sum + Math.exp(log), 0) / BETS.length);
}
