import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eValueOfCounts, eValueOfValues } from '../../../../src/domain/evidence/e-value.ts';

describe('golden values of STATISTICS 4.9', () => {
  test('5 harmful of 100 against 2 %', () => {
    expect(eValueOfCounts({ events: 100, harms: 5 }, 0.02, 0.05).logE).toBeCloseTo(0.5705794492, 10);
  });

  test('the stream against 0.3, as counts and as values', () => {
    const stream = [0, 1, 0, 0, 1, 1, 0, 1, 0, 1];
    expect(eValueOfValues(stream, 0.3, 0.05).logE).toBeCloseTo(0.3280145168, 10);
    expect(eValueOfCounts({ events: 10, harms: 5 }, 0.3, 0.05).logE).toBeCloseTo(0.3280145168, 10);
  });
});

const values = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 60 });

test('the lower bound is where E reaches 1/alpha, and the mean is never below it', () => {
  fc.assert(
    fc.property(values, (given) => {
      const { lower } = eValueOfValues(given, 1, 0.05);
      const mean = given.reduce((sum, x) => sum + x, 0) / given.length;
      expect(lower).toBeLessThanOrEqual(mean * (1 + 1e-9) + 1e-12);
      if (lower > 1e-6) {
        expect(eValueOfValues(given, lower * (1 - 1e-9), 0.05).eValue).toBeGreaterThanOrEqual(
          20 * (1 - 1e-6),
        );
        expect(eValueOfValues(given, lower * (1 + 1e-6), 0.05).eValue).toBeLessThan(20);
      }
    }),
  );
});

test('values of 0 and 1 are counts, with the same bounds', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { minLength: 1, maxLength: 80 }), (harms) => {
      const counts = { events: harms.length, harms: harms.filter(Boolean).length };
      const [one, other] = [
        eValueOfCounts(counts, 0.1, 0.05),
        eValueOfValues(harms.map(Number), 0.1, 0.05, 1),
      ];
      expect(other.logE).toBeCloseTo(one.logE, 9);
      expect(other.lower).toBeCloseTo(one.lower, 9);
      expect(other.upper).toBeCloseTo(one.upper ?? -1, 9);
    }),
  );
});

test('without a cap nothing bounds the mean from above', () => {
  expect(eValueOfValues([1, 2, 3], 2, 0.05).upper).toBeNull();
  expect(eValueOfValues([1, 2, 3], 2, 0.05, 10).upper).toBeLessThan(10);
});

test.each([
  [() => eValueOfValues([1, -1], 2, 0.05), 'the value -1 is not within 0'],
  [() => eValueOfValues([1, 11], 2, 0.05, 10), 'the value 11 is not within 0 to 10'],
  [() => eValueOfValues([Number.NaN], 2, 0.05), 'the value NaN'],
  [() => eValueOfValues([1], 0, 0.05), 'the limit is 0, it must be above 0'],
  [() => eValueOfValues([1], 1, 1), 'alpha is 1, it must be between 0 and 1'],
  [() => eValueOfCounts({ events: 1, harms: 2 }, 0.1, 0.05), '2 harms in 1 events'],
])('what cannot be is refused: %#', (weigh, message) => {
  expect(weigh).toThrow(message);
});
