import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { lockedMean } from '../../../../src/domain/evidence/baseline.ts';
import { eValueOfValues } from '../../../../src/domain/evidence/e-value.ts';
import { lowerBound } from '../../../../src/domain/evidence/eprocess.ts';
import { randomFrom } from '../../../../src/domain/evidence/forecast.ts';
import { lowerMeanOfMoments } from '../../../../src/domain/evidence/moments.ts';

const momentsOf = (values: readonly number[]) => ({
  events: values.length,
  sum: values.reduce((sum, x) => sum + x, 0),
  squares: values.reduce((sum, x) => sum + x * x, 0),
});

describe('a lower bound of a mean by its moments', () => {
  test('never exceeds that by the values themselves, whatever they are', () => {
    const values = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, fc.constantFrom(0.001, 0.05, 0.3), (xs, alpha) => {
        const exact = eValueOfValues(xs, 1, alpha).lower;
        expect(lowerMeanOfMoments(momentsOf(xs), alpha)).toBeLessThanOrEqual(exact * (1 + 1e-9) + 1e-12);
      }),
    );
  });

  test('comes near it with more of them: within 3 % of the mean at 2,000 events', () => {
    const random = randomFrom(20261130);
    const values = Array.from({ length: 2_000 }, () => -Math.log(random()));
    const exact = eValueOfValues(values, 1, 0.01).lower;
    const ours = lowerMeanOfMoments(momentsOf(values), 0.01);
    expect(ours).toBeGreaterThan(exact - 0.03);
    expect(ours).toBeGreaterThan(0.8);
  });

  test('of nothing, and of nothing but zeros, is 0; of what is always the same it comes near it', () => {
    expect(lowerMeanOfMoments(momentsOf([]), 0.05)).toBe(0);
    expect(lowerMeanOfMoments(momentsOf([0, 0, 0]), 0.05)).toBe(0);
    const same = Array.from({ length: 1_000 }, () => 3);
    expect(lowerMeanOfMoments(momentsOf(same), 0.05)).toBeGreaterThan(2.9);
    expect(lowerMeanOfMoments(momentsOf(same), 0.05)).toBeLessThan(3);
    expect(() => lowerMeanOfMoments(momentsOf([1]), 0)).toThrow('alpha is 0');
  });

  test('misses the mean in at most alpha of all samples', () => {
    const random = randomFrom(7);
    let wrong = 0;
    for (let run = 0; run < 2_000; run++) {
      const values = Array.from({ length: 100 }, () => Number(random() < 0.3));
      if (lowerMeanOfMoments(momentsOf(values), 0.05) > 0.3) wrong++;
    }
    expect(wrong / 2_000).toBeLessThanOrEqual(0.05);
  });
});

describe('the limit of a sum by its baseline', () => {
  const [CAP, MARGIN, ALPHA] = [10, 0.5, 0.01];
  const spent = (values: readonly number[], more = {}) => ({
    segment: 'gold',
    metric: 'cost',
    events: values.length,
    known: values.length,
    harms: 0,
    values: { ...momentsOf(values), over: 0 },
    ...more,
  });
  const locked = (counts: ReturnType<typeof spent>) => lockedMean(counts, CAP, MARGIN, ALPHA);
  const values = Array.from({ length: 400 }, (_, n) => (n % 4) / 2);

  test('is above its mean, by a bound of what is left of the cap, and the margin', () => {
    const { upper, limit } = locked(spent(values));
    expect(upper).toBeGreaterThan(0.75);
    expect(upper).toBeLessThan(1.2);
    expect(limit).toBeCloseTo(upper * 1.5, 12);
    // Of values that are the cap or nothing the bound of 4.1 is known: this one is never tighter.
    const rare = Array.from({ length: 400 }, (_, n) => (n % 40 === 0 ? CAP : 0));
    expect(locked(spent(rare)).upper / CAP).toBeGreaterThanOrEqual(
      1 - lowerBound({ events: 400, harms: 390 }, ALPHA),
    );
  });

  test('is none without values, above the cap, without a part of alpha, or where the margin leaves nothing to exceed', () => {
    expect(locked(spent([]))).toEqual({ upper: CAP, limit: null });
    expect(locked(spent(values, { values: { ...momentsOf(values), over: 1 } }))).toEqual({
      upper: CAP,
      limit: null,
    });
    expect(lockedMean(spent(values), CAP, MARGIN, 0).limit).toBeNull();
    expect(lockedMean(spent(values), CAP, 20, ALPHA).limit).toBeNull();
  });

  test('silence counts as the cap: the limit gets wider, never stricter', () => {
    const half = spent(values.slice(0, 200), { events: 400 });
    expect(locked(half).upper).toBeGreaterThan(locked(spent(values)).upper + 3);
  });
});
