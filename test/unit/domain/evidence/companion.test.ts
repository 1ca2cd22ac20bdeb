import { describe, expect, test } from 'vitest';
import { type CountFacts, judgeCount } from '../../../../src/domain/evidence/companion.ts';
import { countPrior, countRestartLogE, pooledCountLogE } from '../../../../src/domain/evidence/count.ts';
import { dayLimit, dayLimitText } from '../../../../src/domain/evidence/day-limit.ts';
import {
  breachText,
  firedBy,
  type JudgedFacts,
  type KnownBucket,
} from '../../../../src/domain/evidence/facts.ts';
import { judgeFacts } from '../../../../src/domain/evidence/judge-facts.ts';

const FACTS: CountFacts = {
  perDay: { gold: 0.5 },
  exposed: [
    { segment: 'gold', fromDay: 30, toDay: 31, exposure: 1_000 },
    { segment: 'gold', fromDay: 31, toDay: 32, exposure: 10_000 },
    { segment: 'silver', fromDay: 30, toDay: 31, exposure: 10_000 },
  ],
  harms: [
    { segment: 'gold', day: 31, harms: 2 },
    { segment: 'silver', day: 31, harms: 9 },
  ],
  weight: 0.1,
  firedBefore: false,
};

describe('judgeCount()', () => {
  test('counts the days exposed, each at its largest exposure, and the harm of its own segment', () => {
    const judged = judgeCount('rate', 0.05, FACTS);
    expect(judged).toMatchObject({ total: 2, days: 2.1, allowed: 1.05, fired: false, prior: { a: 2, b: 1 } });
    const days = [
      { day: 30, time: 0.1, harms: 0 },
      { day: 31, time: 1, harms: 2 },
      { day: 32, time: 1, harms: 0 },
    ];
    expect(judged.logE).toBe(countRestartLogE(days, 0.5, countPrior(0.5)));
    expect(judged.thresholdLogE).toBeCloseTo(Math.log(1 / (0.05 * 0.1)), 12);
  });

  test('harm of a day of which no exposure is known counts against the whole limit', () => {
    const harms = [{ segment: 'gold', day: 40, harms: 3 }];
    expect(judgeCount('rate', 0.05, { ...FACTS, harms })).toMatchObject({ total: 3, days: 3.1 });
    const none = judgeCount('rate', 0.05, { ...FACTS, exposed: [], harms });
    expect(none.logE).toBe(countRestartLogE([{ day: 40, time: 1, harms: 3 }], 0.5, countPrior(0.5)));
  });

  test('pools segments in harms allowed, capped by what is left without the strongest', () => {
    const facts = { ...FACTS, perDay: { gold: 0.5, silver: 1 } };
    const judged = judgeCount('pooled', 0.05, facts);
    expect(judged).toMatchObject({ total: 11, allowed: 3.05, leftOut: 'silver', prior: { a: 2, b: 0.5 } });
    const gold = judgeCount('rate', 0.05, FACTS);
    const days = [30, 31, 32].map((day) => ({
      day,
      time: [0.1, 1, 1][day - 30] ?? 0,
      harms: day === 31 ? 2 : 0,
    }));
    expect(judged.logE).toBe(Math.min(judged.pooledLogE ?? 0, pooledCountLogE([{ limit: 0.5, days }])));
    expect(judged.logE).toBeCloseTo(gold.logE, 9);
  });

  test('fires at its threshold, stays fired, and never does where it only reports', () => {
    const harms = [{ segment: 'gold', day: 31, harms: 12 }];
    expect(judgeCount('rate', 0.05, { ...FACTS, harms })).toMatchObject({ fired: true });
    expect(judgeCount('rate', 0.05, { ...FACTS, firedBefore: true })).toMatchObject({ fired: true });
    expect(judgeCount('rate', 0.05, { ...FACTS, harms, weight: 0 })).toMatchObject({
      fired: false,
      thresholdLogE: null,
    });
  });
});

describe('judgeFacts() of a rate with its companion', () => {
  const bucket = (events: number, harms: number): KnownBucket => ({
    segment: 'gold',
    build: '1',
    day: 31,
    events,
    harms,
    known: events,
  });
  const facts = (events: number, harms: number, more: Partial<JudgedFacts> = {}): JudgedFacts => ({
    kind: 'rate',
    limit: 0.05,
    alpha: 0.05,
    weight: 0.1,
    minSample: 0,
    breachedBefore: false,
    matureBefore: 100,
    builds: ['1'],
    buckets: [bucket(events, harms)],
    count: { ...FACTS, harms: harms > 0 ? [{ segment: 'gold', day: 31, harms }] : [] },
    ...more,
  });

  test('is a breach by the count where harmless writes hide the rate, and not without it', () => {
    const diluted = facts(100_000, 14);
    const { count: _, ...alone } = diluted;
    expect(judgeFacts(alone)).toMatchObject({ verdict: 'ok' });
    expect(judgeFacts(alone)).not.toHaveProperty('firedBy');
    const judged = judgeFacts(diluted);
    expect(judged).toMatchObject({ verdict: 'breach', firedBy: ['count'], moreNeeded: null });
    expect(breachText({ ...judged, metric: 'wrong', limit: 0.05 })).toMatch(
      /^wrong: 14 harms in a time that allows 1\.1 \(e-value /,
    );
  });

  test('is a breach by the rate where little was done in the time allowed', () => {
    const judged = judgeFacts(facts(8, 6, { count: { ...FACTS, perDay: { gold: 50 } } }));
    expect(judged).toMatchObject({ verdict: 'breach', firedBy: ['rate'], count: { fired: false } });
    expect(breachText({ ...judged, metric: 'wrong', limit: 0.05 })).toContain('above its limit of 0.05');
  });

  test('each process keeps its own memory of having fired', () => {
    expect(judgeFacts(facts(1_000, 0, { breachedBefore: true }))).toMatchObject({ firedBy: ['rate'] });
    const frozen = facts(1_000, 0);
    expect(
      judgeFacts({ ...frozen, count: { ...(frozen.count as CountFacts), firedBefore: true } }),
    ).toMatchObject({ verdict: 'breach', firedBy: ['count'] });
  });

  test('gives the same again from its own record, bit for bit', () => {
    const judged = judgeFacts(facts(900, 9));
    expect(judgeFacts({ ...facts(900, 9), count: judged.count })).toEqual(judged);
  });

  test('a record of before there were companions fired by its rate', () => {
    expect(firedBy({ verdict: 'breach' })).toEqual(['rate']);
    expect(firedBy({ verdict: 'ok' })).toEqual([]);
  });
});

describe('dayLimit()', () => {
  const volume = { segment: 'gold', metric: 'wrong', writes: 900, unasked: 0, days: 30 };

  test('is the rate times what begins in a day of the baseline, at its upper limit', () => {
    const { perDay } = dayLimit(volume, 0.05, undefined);
    expect(perDay).toBeGreaterThan(0.05 * 30);
    expect(perDay).toBeLessThan(0.05 * 30 * 1.1);
    expect(dayLimitText(dayLimit(volume, 0.05, undefined))).toBe('by the baseline: 900 in 30 days');
  });

  test('says how many of them were the agent’s own', () => {
    const own = dayLimit({ ...volume, unasked: 850 }, 0.05, undefined);
    expect(dayLimitText(own)).toBe('by the baseline: 900 in 30 days, 850 of them unasked');
  });

  test('is what is declared, whatever was measured', () => {
    expect(dayLimit(volume, 0.05, 3)).toMatchObject({ perDay: 3, declared: true });
    expect(dayLimit({ ...volume, writes: 0 }, 0.05, 3)).toMatchObject({ perDay: 3, declared: true });
  });

  test('is unknown where nothing began, never zero and never without a word', () => {
    const none = dayLimit({ ...volume, writes: 0 }, 0.05, undefined);
    expect(none).toMatchObject({ perDay: null, declared: false });
    expect(dayLimitText(none)).toContain('Set perDay in its guardrail');
  });
});
