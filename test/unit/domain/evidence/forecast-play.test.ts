import { describe, expect, test } from 'vitest';
import { thresholdLogE } from '../../../../src/domain/evidence/alpha.ts';
import { type ForecastPlan, randomFrom } from '../../../../src/domain/evidence/forecast.ts';
import { drawEvents } from '../../../../src/domain/evidence/forecast-draw.ts';
import { falseStops, noticedOf } from '../../../../src/domain/evidence/forecast-play.ts';
import {
  addValue,
  EMPTY_SUM,
  restartSumLogE,
  type SumBucket,
} from '../../../../src/domain/evidence/sum-process.ts';

const DAYS = 40;
/** Half of each, then all. */
const days = Array.from({ length: DAYS }, (_, day) =>
  day < DAYS / 2 ? { gold: 0.5, silver: 0.5 } : { gold: 1, silver: 1 },
);
const weights = { weight: 0.1, count: 0.05, control: 0.05 };

function plan(more: Partial<ForecastPlan> & Pick<ForecastPlan, 'guardrails'>): ForecastPlan {
  return {
    alpha: 0.05,
    shares: more.guardrails.flatMap(({ metric }) => [
      { guardrail: metric, segment: '*', weight: 0.25, count: 0.25 },
      { guardrail: metric, segment: 'gold', ...weights },
      { guardrail: metric, segment: 'silver', ...weights },
    ]),
    days,
    traffic: () => 20,
    matureDays: {},
    okBy: {},
    ...more,
  };
}

const wrong = { metric: 'wrong', limit: 0.1, reportsOnly: false };

describe('a sum', () => {
  const cost = { metric: 'cost', limit: 0.4, reportsOnly: false, values: { kind: 'sum' as const, cap: 5 } };
  const [seed, runs] = [20261121, 300];

  /** Every subject-day by itself, with the process of the sum: the day on which it takes back. */
  function byForce(drawn: (random: () => number) => number): number[] {
    const random = randomFrom(seed);
    const threshold = thresholdLogE(0.05, weights.weight);
    return Array.from({ length: runs / 3 }, () => {
      const buckets: SumBucket[] = [];
      for (const [day, { gold }] of days.entries()) {
        let bucket: SumBucket = { ...EMPTY_SUM, day };
        const { events } = drawEvents(20 * gold, 0, random);
        for (let n = 0; n < events; n++) bucket = addValue(bucket, drawn(random), 0.4);
        if (events > 0) buckets.push(bucket);
        if (restartSumLogE(buckets) >= threshold) return day + 1;
      }
      return Number.POSITIVE_INFINITY;
    }).sort((one, other) => one - other);
  }
  const middle = (found: number[]) => found[Math.floor(found.length / 2)] ?? 0;
  const played = noticedOf(
    plan({ guardrails: [cost] }),
    [{ segment: 'gold', metric: 'cost', mean: 0.9 }],
    runs,
    randomFrom(seed),
  );

  test('is noticed when the values themselves would be, each weighed alone', () => {
    const forced = byForce((random) => (random() < 0.9 / 5 ? 5 : 0));
    const [found] = played;
    expect(found?.share).toBe(1);
    expect(Math.abs((found?.days?.p50 ?? 0) - middle(forced))).toBeLessThanOrEqual(1);
    expect(
      Math.abs((found?.days?.p90 ?? 0) - (forced[Math.floor(forced.length * 0.9)] ?? 0)),
    ).toBeLessThanOrEqual(3);
  });

  test('of values that lie otherwise it says no day too soon', () => {
    const even = byForce((random) => random() * 1.8);
    expect(middle(even)).toBeLessThanOrEqual(played[0]?.days?.p50 ?? 0);
  });

  test('within its limit is hardly ever taken back, and far above it always', () => {
    const sums = plan({ guardrails: [cost] });
    expect(falseStops(sums, 1, 1_000, randomFrom(seed))).toBeLessThan(0.05);
    expect(falseStops(sums, 4, 50, randomFrom(seed))).toBe(1);
  });
});

describe('harms a day', () => {
  // 20 a day at 5 % are one harm a day: within the limit of the rate, four times what a day may bring.
  const counted = { ...wrong, perDay: { gold: 0.25, silver: 2 } };
  const harm = { segment: 'gold', metric: 'wrong', rate: 0.05 };
  const seed = 5;

  test('are noticed by the count where the rate sees nothing', () => {
    const [found] = noticedOf(plan({ guardrails: [counted] }), [harm], 200, randomFrom(seed));
    expect(found?.share).toBeGreaterThan(0.95);
    expect(found?.by).toEqual({ count: found?.share });
    const [blind] = noticedOf(plan({ guardrails: [wrong] }), [harm], 200, randomFrom(seed));
    expect(blind).toMatchObject({ share: 0, by: {}, days: null });
  });

  test('a breach is whichever comes first: both together are no later than either alone', () => {
    const both = { ...harm, rate: 0.25 };
    const of = (guardrail: typeof wrong) =>
      noticedOf(plan({ guardrails: [guardrail] }), [both], 300, randomFrom(seed))[0];
    const [one, other] = [of({ ...wrong, perDay: { gold: 2 } } as typeof wrong), of(wrong)];
    expect(one?.days?.p50).toBeLessThanOrEqual(other?.days?.p50 ?? 0);
    expect((one?.by.rate ?? 0) + (one?.by.count ?? 0)).toBeCloseTo(one?.share ?? 0, 9);
    expect(one?.by.count).toBeGreaterThan(0);
  });
});

describe('beside the release in force', () => {
  test('harm below the limit is noticed by the comparison while a part is exposed', () => {
    const compared = { ...wrong, limit: 0.5, control: { ratio: 1.5 } };
    const many = plan({ guardrails: [compared], traffic: () => 60 });
    const harm = { segment: 'gold', metric: 'wrong', rate: 0.3 };
    const [worse, alike] = noticedOf(
      many,
      [
        { ...harm, control: 0.03 },
        { ...harm, control: 0.3 },
      ],
      60,
      randomFrom(2),
    );
    expect(worse?.by).toEqual({ control: 1 });
    // One day and more until the first are ripe.
    expect(worse?.days?.p50).toBeGreaterThan(1);
    expect(worse?.days?.p90).toBeLessThan(DAYS / 2);
    expect(alike?.share).toBeLessThan(0.1);
    // As long as nobody says what came of a subject it does not enter.
    const late = noticedOf(
      { ...many, matureDays: { wrong: 9 } },
      [{ ...harm, control: 0.03 }],
      60,
      randomFrom(2),
    );
    expect(Math.abs((late[0]?.days?.p50 ?? 0) - (worse?.days?.p50 ?? 0) - 8)).toBeLessThanOrEqual(2);
    // Where nothing is said it does half of the limit.
    expect(noticedOf(many, [harm], 60, randomFrom(2))[0]?.share).toBeLessThan(0.1);
  });

  test('the mean of a sum as well', () => {
    const cost = {
      metric: 'cost',
      limit: 4,
      reportsOnly: false,
      values: { kind: 'sum' as const, cap: 5 },
      control: { more: 0.2 },
    };
    const many = plan({ guardrails: [cost], traffic: () => 100 });
    const harm = { segment: 'gold', metric: 'cost', mean: 3 };
    const [worse, alike] = noticedOf(
      many,
      [
        { ...harm, control: 0.5 },
        { ...harm, control: 3 },
      ],
      60,
      randomFrom(2),
    );
    expect(worse?.by).toEqual({ control: 1 });
    expect(alike?.share).toBeLessThan(0.1);
  });
});

describe('what is within every limit', () => {
  const guardrails: ForecastPlan['guardrails'] = [
    { ...wrong, perDay: { gold: 0.5, silver: 3 }, control: { ratio: 1.2 } },
    {
      metric: 'cost',
      limit: 0.4,
      reportsOnly: false,
      values: { kind: 'sum', cap: 5 },
      control: { more: 0.05 },
    },
    { metric: 'case', limit: 2, reportsOnly: false, values: { kind: 'ratio', cap: 20, perMax: 3 } },
  ];
  const third = (one: { weight?: number; count?: number; control?: number }) =>
    Object.fromEntries(Object.entries(one).map(([name, value]) => [name, value / 3])) as typeof weights;
  const whole = plan({
    guardrails,
    shares: guardrails.flatMap(({ metric }) => [
      { guardrail: metric, segment: '*', ...third({ weight: 0.25, count: 0.25 }) },
      { guardrail: metric, segment: 'gold', ...third(weights) },
      { guardrail: metric, segment: 'silver', ...third(weights) },
    ]),
  });

  test.each([20261121, 7, 99])('is stopped in at most alpha of the rollouts: seed %d', (seed) => {
    expect(falseStops(whole, 1, 400, randomFrom(seed))).toBeLessThanOrEqual(0.05);
  });

  test('and the same harness stops what is not', () => {
    expect(falseStops(whole, 5, 30, randomFrom(1))).toBe(1);
  });
});
