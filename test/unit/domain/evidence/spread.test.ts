import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thresholdLogE } from '../../../../src/domain/evidence/alpha.ts';
import { pooledRestartLogE } from '../../../../src/domain/evidence/eprocess.ts';
import { spreadLogE } from '../../../../src/domain/evidence/spread.ts';

const segment = (events: number, harms: number, limit = 0.02) => ({
  limit,
  buckets: [{ day: 0, events, harms }],
});

test('spreadLogE() is nothing while one segment alone has evidence', () => {
  expect(spreadLogE([segment(20, 20)])).toBe(0);
  expect(spreadLogE([segment(20, 20), segment(200, 0)])).toBeLessThanOrEqual(0);
});

test('spreadLogE() finds harm too thin for any segment alone', () => {
  const quiet = Array.from({ length: 50 }, () => segment(40, 2));
  expect(spreadLogE(quiet)).toBeGreaterThan(thresholdLogE(0.05, 0.5));
});

test('spreadLogE() never exceeds the pooled process, so its bound on false alarms holds', () => {
  const arbitrary = fc
    .record({
      events: fc.nat({ max: 200 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      limit: fc.constantFrom(0.01, 0.05, 0.2),
    })
    .map(({ events, share, limit }) => segment(events, Math.floor(events * share), limit));
  fc.assert(
    fc.property(fc.array(arbitrary, { minLength: 2, maxLength: 6 }), (segments) => {
      expect(spreadLogE(segments)).toBeLessThanOrEqual(pooledRestartLogE(segments) + 1e-9);
    }),
  );
});
