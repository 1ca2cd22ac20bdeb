import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lowerBound, restartLogE, upperBound } from '../../../../src/domain/evidence/eprocess.ts';
import { seriesOf } from '../../../../src/domain/evidence/series.ts';

const bucket = fc
  .record({ day: fc.nat(9), events: fc.nat(30), harms: fc.nat(30) })
  .map(({ day, events, harms }) => ({ day, events, harms: Math.min(harms, events), known: events }));

test('each day of a series is the process over the days up to it', () => {
  fc.assert(
    fc.property(fc.array(bucket, { maxLength: 12 }), (buckets) => {
      for (const { day, logE, lower, upper, value } of seriesOf(buckets, 0.05, 0.05)) {
        const upTo = buckets.filter((one) => one.day <= day);
        const events = upTo.reduce((sum, one) => sum + one.events, 0);
        const harms = upTo.reduce((sum, one) => sum + one.harms, 0);
        expect(logE).toBeCloseTo(restartLogE(upTo, 0.05), 9);
        expect(lower).toBe(lowerBound({ events, harms }, 0.05));
        expect(upper).toBe(upperBound({ events, harms }, 0.05));
        expect(value).toBe(events === 0 ? null : harms / events);
      }
    }),
    { numRuns: 40 },
  );
});
