import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allotAlpha, evenShares, laterSegmentWeight, thresholdLogE } from '../../../src/domain/alpha.ts';

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}-${i}`);
const total = (rows: readonly { weight: number }[]) => rows.reduce((sum, { weight }) => sum + weight, 0);

describe('allotAlpha()', () => {
  test('allotAlpha() gives half to the pool, 0.4 to the starting segments, the reserve by 6/(π²j²)', () => {
    const rows = allotAlpha({
      guardrails: [
        { guardrail: 'errors', share: 0.75 },
        { guardrail: 'cost', share: 0.25 },
        { guardrail: 'tone', share: 0.5, reportsOnly: true },
      ],
      startingSegments: ['gold', 'silver'],
      laterSegments: ['bronze'],
    });
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

  test('allotAlpha() never gives out more than 1, whatever is created later', () => {
    const counts = fc.tuple(fc.integer({ min: 1, max: 6 }), fc.nat(60), fc.nat(300));
    fc.assert(
      fc.property(counts, fc.nat(5), ([acting, starting, later], reporting) => {
        const guardrails = evenShares([
          ...names('acts', acting).map((guardrail) => ({ guardrail })),
          ...names('reports', reporting).map((guardrail) => ({ guardrail, reportsOnly: true })),
        ]);
        const sum = total(
          allotAlpha({
            guardrails,
            startingSegments: names('start', starting),
            laterSegments: names('later', later),
          }),
        );
        expect(sum).toBeLessThanOrEqual(1);
        expect(sum).toBeGreaterThanOrEqual(starting > 0 ? 0.9 - 1e-12 : 0.5 - 1e-12);
      }),
    );
  });

  test('allotAlpha() does not change the weights already given when a segment is created', () => {
    const input = { guardrails: evenShares([{ guardrail: 'errors' }]), startingSegments: ['gold'] };
    const before = allotAlpha({ ...input, laterSegments: ['a'] });
    expect(allotAlpha({ ...input, laterSegments: ['a', 'b'] }).slice(0, before.length)).toEqual(before);
  });

  test('allotAlpha() gives nothing when every guardrail only reports', () => {
    const guardrails = evenShares([{ guardrail: 'tone', reportsOnly: true }]);
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
    const guardrails = evenShares([{ guardrail: 'errors' }]);
    expect(() => allotAlpha({ guardrails, startingSegments: ['gold', 'gold'] })).toThrow('gold');
    expect(() => allotAlpha({ guardrails, startingSegments: ['*'] })).toThrow('segment');
    expect(() => allotAlpha({ guardrails: [...guardrails, ...guardrails], startingSegments: [] })).toThrow(
      'guardrail',
    );
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
