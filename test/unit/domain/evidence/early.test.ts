import { expect, test } from 'vitest';
import { earlyDue, meanLogE } from '../../../../src/domain/evidence/early.ts';
import { restartLogE } from '../../../../src/domain/evidence/eprocess.ts';

const judged = (logE: number, more: Partial<Record<'count' | 'control' | 'difference', number>> = {}) =>
  ({
    logE,
    ...Object.fromEntries(Object.entries(more).map(([name, one]) => [name, { logE: one }])),
  }) as Parameters<typeof meanLogE>[0];

test('each measure is due from its own e-value on', () => {
  const early = { ask: 20, shrink: 100 };
  expect(earlyDue(early, judged(Math.log(19.9)))).toEqual([]);
  expect(earlyDue(early, judged(Math.log(20.1)))).toEqual(['ask']);
  expect(earlyDue(early, judged(Math.log(101)))).toEqual(['ask', 'shrink']);
  expect(earlyDue(undefined, judged(99))).toEqual([]);
});

test('several processes are judged by their mean: none of them alone makes it more likely', () => {
  expect(Math.exp(meanLogE(judged(Math.log(60), { count: 0, control: 0 })))).toBeCloseTo(62 / 3, 9);
  expect(meanLogE(judged(900, { difference: 1 }))).toBeCloseTo(900 - Math.log(2), 9);
  expect(meanLogE(judged(-Infinity))).toBe(-Infinity);
});

test('a sound segment meets an e-value of 4 with a chance of a quarter at most: over every sequence of three days', () => {
  // Four events a day, each harm with the probability of the limit itself; the worst that is still allowed.
  const [limit, days, events] = [0.3, 3, 4];
  const WAYS = [1, 4, 6, 4, 1];
  const chance = (harms: number) => (WAYS[harms] ?? 0) * limit ** harms * (1 - limit) ** (events - harms);
  let met = 0;
  const walk = (buckets: { day: number; events: number; harms: number }[], weight: number): void => {
    const seen = buckets.length > 0 && earlyDue({ hold: 4 }, judged(restartLogE(buckets, limit))).length > 0;
    if (seen) met += weight;
    if (seen || buckets.length === days) return;
    for (let harms = 0; harms <= events; harms++)
      walk([...buckets, { day: buckets.length, events, harms }], weight * chance(harms));
  };
  walk([], 1);
  expect(met).toBeGreaterThan(0);
  expect(met).toBeLessThanOrEqual(1 / 4);
});
