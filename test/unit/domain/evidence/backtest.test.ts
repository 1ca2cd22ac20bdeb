import { describe, expect, test } from 'vitest';
import { dryWeight } from '../../../../src/domain/evidence/alpha.ts';
import { backtest } from '../../../../src/domain/evidence/backtest.ts';
import { restartLogE } from '../../../../src/domain/evidence/eprocess.ts';

const day = (at: number, events: number, harms: number, known = events) => ({
  day: at,
  events,
  harms,
  known,
});
const how = { limit: 0.05, alpha: 0.05, weight: 0.2 };

describe('backtest()', () => {
  test('says on which day it would have taken back, by what was known on that day', () => {
    const window = [day(0, 20, 1), day(1, 20, 0), day(3, 20, 9), day(4, 20, 12)];
    const found = backtest(window, how);
    expect(found).toMatchObject({ days: 4, events: 80, harms: 22, share: 22 / 80, okOn: null });
    const threshold = -Math.log(0.05 * 0.2);
    const upTo = (last: number) =>
      restartLogE(
        window.filter((one) => one.day <= last),
        0.05,
      );
    expect(upTo(1)).toBeLessThan(threshold);
    expect(upTo(3)).toBeGreaterThanOrEqual(threshold);
    expect(found.takenBackOn).toBe(3);
    expect(found.highestLogE).toBeCloseTo(upTo(4), 12);
  });

  test('says when it would have been ok, where silence is no proof', () => {
    const quiet = Array.from({ length: 10 }, (_, at) => day(at, 30, 0));
    const ok = backtest(quiet, how).okOn;
    expect(ok).toBeGreaterThan(0);
    expect(backtest(quiet, how).takenBackOn).toBeNull();
    const silent = quiet.map((one) => ({ ...one, known: 0 }));
    expect(backtest(silent, how).okOn).toBeNull();
  });

  test('of nothing is nothing', () => {
    expect(backtest([], how)).toMatchObject({
      days: 0,
      events: 0,
      share: null,
      takenBackOn: null,
      okOn: null,
    });
  });
});

test('one that only reports is weighed as if it acted beside those that do', () => {
  const guardrails = [
    { metric: 'wrong', share: 1, action: 'rollback' },
    { metric: 'slow', share: 3, action: 'rollback' },
    { metric: 'cost', share: 4, action: 'report' },
  ] as const;
  expect(dryWeight(guardrails, 'wrong', 4)).toBeCloseTo((1 / 4) * 0.1, 12);
  expect(dryWeight(guardrails, 'cost', 4)).toBeCloseTo((4 / 8) * 0.1, 12);
  expect(dryWeight(guardrails, 'other', 4)).toBe(0);
});
