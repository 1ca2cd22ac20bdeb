import fc from 'fast-check';
import { expect, test } from 'vitest';
import { reviewQueue } from '../../../../src/domain/evidence/review-queue.ts';

const items = fc.array(fc.record({ name: fc.string(), logE: fc.double({ min: -5, max: 12, noNaN: true }) }), {
  maxLength: 12,
});

test('it is the largest set of which each is as large as e-BH asks for', () => {
  fc.assert(
    fc.property(items, (given) => {
      const sorted = given.map(({ logE }) => Math.exp(logE)).sort((a, b) => b - a);
      // By trying every k, as the definition reads.
      const sizes = sorted
        .map((_, at) => at + 1)
        .filter((k) => (sorted[k - 1] ?? 0) >= given.length / (0.1 * k));
      expect(reviewQueue(given, 0.1, given.length)).toHaveLength(Math.max(0, ...sizes));
    }),
  );
});

test('one e-value must be as large as all of them together ask for; several help each other', () => {
  const of = (...eValues: number[]) => eValues.map((e, n) => ({ n, logE: Math.log(e) }));
  expect(reviewQueue(of(19, 1), 0.1, 2)).toEqual([]);
  expect(reviewQueue(of(21, 1), 0.1, 2).map(({ n }) => n)).toEqual([0]);
  expect(reviewQueue(of(11, 12), 0.1, 2).map(({ n }) => n)).toEqual([1, 0]);
  // One that has no e-value yet is one of those it is chosen from.
  expect(reviewQueue(of(21), 0.1, 3)).toEqual([]);
  expect(reviewQueue([], 0.1, 0)).toEqual([]);
});
