import fc from 'fast-check';
import { expect, test } from 'vitest';
import { thresholdLogE } from '../../../../src/domain/evidence/alpha.ts';
import { pooledRestartLogE } from '../../../../src/domain/evidence/eprocess.ts';
import { spreadOf } from '../../../../src/domain/evidence/spread.ts';

const segment = (events: number, harms: number, limit = 0.02) => ({
  segment: String(events),
  limit,
  buckets: [{ day: 0, events, harms }],
});

test('spreadOf() is nothing while one segment alone has evidence', () => {
  expect(spreadOf([segment(20, 20)]).logE).toBe(0);
  expect(spreadOf([segment(20, 20), segment(200, 0)]).logE).toBeLessThanOrEqual(0);
});

test('spreadOf() finds harm too thin for any segment alone', () => {
  const quiet = Array.from({ length: 50 }, () => segment(40, 2));
  expect(spreadOf(quiet).logE).toBeGreaterThan(thresholdLogE(0.05, 0.5));
});

test('spreadOf() never exceeds the pooled process, so its bound on false alarms holds', () => {
  const arbitrary = fc
    .record({
      events: fc.nat({ max: 200 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
      limit: fc.constantFrom(0.01, 0.05, 0.2),
    })
    .map(({ events, share, limit }) => segment(events, Math.floor(events * share), limit));
  fc.assert(
    fc.property(fc.array(arbitrary, { minLength: 2, maxLength: 6 }), (segments) => {
      expect(spreadOf(segments).logE).toBeLessThanOrEqual(pooledRestartLogE(segments) + 1e-9);
    }),
  );
});
