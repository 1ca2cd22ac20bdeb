import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BETS, betLogs, type DayBucket, restartLogE } from '../../../../src/domain/evidence/eprocess.ts';

const aLimit = fc.double({ min: 0.001, max: 0.5, noNaN: true });
const aBucket = fc
  .record({
    day: fc.nat(60),
    events: fc.integer({ min: 1, max: 200 }),
    part: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ day, events, part }) => ({ day, events, harms: Math.floor(events * part) }));

describe('a day bucket that all its events have left', () => {
  test('restartLogE() is unchanged by a last day whose events have all left', () => {
    fc.assert(
      fc.property(fc.array(aBucket, { maxLength: 20 }), aLimit, (buckets, limit) => {
        const emptied = { day: 1 + Math.max(0, ...buckets.map(({ day }) => day)), events: 0, harms: 0 };
        expect(restartLogE([...buckets, emptied], limit)).toBeCloseTo(restartLogE(buckets, limit), 10);
      }),
    );
  });

  test('restartLogE() keeps the place of such a day: later ones go on as if it had been there all along', () => {
    const [early, emptied] = [
      { day: 0, events: 5, harms: 0 },
      { day: 1, events: 0, harms: 0 },
    ];
    const later = { day: 2, events: 9, harms: 6 };
    const f = (bucket: DayBucket) => betLogs(bucket, 0.1).map(Math.exp);
    const [f1, f3] = [f(early), f(later)];
    const sums = f1.map((factor, j) => (factor / 2 + 1 / 6 + 1 / 12) * (f3[j] ?? 0));
    const expected = sums.reduce((sum, one) => sum + one, 0) / BETS.length + 1 / 4;
    expect(Math.exp(restartLogE([early, emptied, later], 0.1))).toBeCloseTo(expected, 9);
  });
});
