import { describe, expect, test } from 'vitest';
import { safetyLogE } from '../../../../src/domain/evidence/eprocess.ts';
import { type ForecastPlan, randomFrom, reachOf } from '../../../../src/domain/evidence/forecast.ts';
import { falseStops, noticedOf } from '../../../../src/domain/evidence/forecast-play.ts';
import { planningEvents } from '../../../../src/domain/evidence/guardrail.ts';

const plan = (more: Partial<ForecastPlan> = {}): ForecastPlan => ({
  alpha: 0.05,
  guardrails: [{ metric: 'wrong', limit: 0.02, reportsOnly: false }],
  shares: [
    { guardrail: 'wrong', segment: '*', weight: 0.5 },
    { guardrail: 'wrong', segment: 'gold', weight: 0.4 },
  ],
  days: Array.from({ length: 60 }, (_, day) => ({ gold: day < 30 ? 0.1 : 1 })),
  traffic: () => 20,
  matureDays: { wrong: 1 },
  okBy: { gold: 29 },
  ...more,
});

describe('how many events `ok` takes', () => {
  test('one fewer would not do', () => {
    const [gold] = reachOf(plan());
    const needed = gold?.needed ?? 0;
    const logE = (events: number) => safetyLogE({ events, harms: 0 }, 0.02);
    expect(logE(needed)).toBeGreaterThanOrEqual(Math.log(20));
    expect(logE(needed - 1)).toBeLessThan(Math.log(20));
  });

  test('a thin segment is told, with the exposure that would suffice: with it, it is not thin', () => {
    const [thin] = reachOf(plan());
    // 29 ripe days at a tenth of 20 a day.
    expect(thin).toMatchObject({ tooThin: true, expected: expect.closeTo(58, 6) });
    const exposure = thin?.exposureNeeded ?? 0;
    const days = plan().days.map((_, day) => ({ gold: day < 30 ? exposure : 1 }));
    const [enough] = reachOf(plan({ days }));
    expect(enough?.expected).toBeCloseTo(enough?.needed ?? 0, 6);
    const [wider] = reachOf(plan({ days: days.map(({ gold }) => ({ gold: gold * 1.001 })) }));
    expect(wider?.tooThin).toBe(false);
  });

  test('without traffic nothing suffices, and it says so instead of a figure', () => {
    expect(reachOf(plan({ traffic: () => 0 }))).toMatchObject([
      { tooThin: true, okOnDay: null, exposureNeeded: null },
    ]);
  });

  test('a guardrail that only reports, and a segment that is never exposed, hold up nothing', () => {
    const guardrails = [{ metric: 'wrong', limit: 0.02, reportsOnly: true }];
    expect(reachOf(plan({ guardrails }))).toEqual([]);
    const days = plan().days.map((day) => ({ ...day, silver: 0 }));
    expect(reachOf(plan({ days })).map(({ segment }) => segment)).toEqual(['gold']);
  });
});

describe('what is played', () => {
  const harm = { segment: 'gold', metric: 'wrong', rate: 0.1 };
  const dense = plan({ days: Array.from({ length: 60 }, () => ({ gold: 1 })), traffic: () => 10 });

  test('the events until harm is noticed are those of the tables, within what a day rounds up', () => {
    const [found] = noticedOf(dense, [harm], 1_000, randomFrom(7));
    expect(found?.share).toBe(1);
    // STATISTICS: 92 (182) at alpha/50 and 42 (109) at alpha; planned by the divergence.
    expect(found?.events?.p50).toBeGreaterThan(42);
    expect(found?.events?.p50).toBeLessThan(2.5 * planningEvents(0.02, 0.1, 0.05, 0.4));
    expect(found?.days?.p50).toBeCloseTo((found?.events?.p50 ?? 0) / 10, -1);
  });

  test('the same seed gives the same answer, another one nearly', () => {
    const play = (seed: number) => noticedOf(dense, [harm], 300, randomFrom(seed))[0];
    expect(play(3)).toEqual(play(3));
    expect(play(3)).not.toEqual(play(4));
    expect(Math.abs((play(3)?.events?.p50 ?? 0) - (play(4)?.events?.p50 ?? 0))).toBeLessThan(25);
  });

  test('what is within its limit is hardly ever taken back, and never more often than alpha says', () => {
    expect(falseStops(dense, 1, 2_000, randomFrom(11))).toBeLessThan(0.05);
    expect(falseStops(dense, 0.5, 500, randomFrom(11))).toBeLessThan(0.01);
  });

  test('harm everywhere is: the harness is not blind', () => {
    expect(falseStops(dense, 5, 200, randomFrom(11))).toBe(1);
  });
});
