import { describe, expect, test } from 'vitest';
import { lockedLimit, lockedMean } from '../../../../src/domain/evidence/baseline.ts';
import { dayLimit } from '../../../../src/domain/evidence/day-limit.ts';
import { randomFrom, reachOf } from '../../../../src/domain/evidence/forecast.ts';
import { countsAt, type Supposed } from '../../../../src/domain/evidence/forecast-baseline.ts';
import { falseStops } from '../../../../src/domain/evidence/forecast-play.ts';
import { forecastPlan, unforecast } from '../../../../src/domain/rollout/forecast-plan.ts';
import { agentFrom, releaseFrom } from '../../../support/fixtures.ts';

const AGENT = `agent: desk
people: { olga: {}, ana: {} }
owners: [olga]
approvers: { desk: [ana] }
attributes: { tier: string }
segments: [{ name: gold, when: context.tier == "gold", representative: false }]
tools: { refund: {}, mail: {} }
metrics:
  wrong: { unit: conversation, tool: refund, corrections: true, business: workload }
  solved: { unit: conversation, direction: higher, business: task completion }
  cost: { unit: EUR, kind: sum, cap: 5, business: unit cost }
  tight: { unit: EUR, kind: sum, cap: 5, business: unit cost }
  case: { unit: EUR, kind: ratio, perMax: 3, business: unit cost }
`;
const release = (guardrails: string) =>
  releaseFrom(
    `agent: desk
release: 2
grants: [{ tool: [refund, mail], approval: none }]
rollout:
  signedOffBy: olga
  baseline: { days: 10 }
  constrained: [{ days: 10, exposure: { gold: 50 }, gate: { verdicts: no-breach } }]
  scale: [{ days: 10, exposure: { "*": 100 }, gate: { verdicts: no-breach } }]
  guardrails:
${guardrails}`,
    agentFrom(AGENT),
  );
const planOf = (guardrails: string, traffic = (segment: string) => (segment === 'gold' ? 12 : 0)) =>
  forecastPlan(release(guardrails), agentFrom(AGENT), traffic);

describe('what goes with a rate', () => {
  test('harms a day are those declared, else what a baseline with this traffic would measure; none without traffic', () => {
    const [wrong] = planOf('    - { metric: wrong, limit: 0.1, reason: r }').guardrails;
    const volume = { segment: 'gold', metric: 'wrong', writes: 120, unasked: 0, days: 10 };
    expect(wrong?.perDay).toEqual({ gold: dayLimit(volume, 0.1, undefined).perDay });
    const [declared] = planOf('    - { metric: wrong, limit: 0.1, perDay: 2, reason: r }').guardrails;
    expect(declared?.perDay).toEqual({ gold: 2, default: 2 });
  });

  test('where higher is better the limit is one on harm, for the count too', () => {
    const [solved] = planOf('    - { metric: solved, limit: 0.9, reason: r }').guardrails;
    const volume = { segment: 'gold', metric: 'solved', writes: 120, unasked: 0, days: 10 };
    expect(solved?.limit).toBe(0.1);
    expect(solved?.perDay).toEqual({ gold: dayLimit(volume, 0.1, undefined).perDay });
  });

  test('the weight of a rate is divided with its companions, and adds up to what it had', () => {
    const { shares } = planOf('    - { metric: wrong, limit: 0.1, control: { ratio: 2 }, reason: r }');
    expect(shares).toEqual([
      { guardrail: 'wrong', segment: '*', weight: 0.25, count: 0.25, control: 0 },
      { guardrail: 'wrong', segment: 'gold', weight: 0.1, count: 0.05, control: 0.05 },
      { guardrail: 'wrong', segment: 'default', weight: 0.1, count: 0.05, control: 0.05 },
    ]);
  });
});

describe('a limit that comes with the baseline', () => {
  const guardrails = `    - { metric: wrong, limit: { baseline: { margin: 0.5 } }, reason: r }
    - { metric: cost, limit: { baseline: { margin: 0.2 } }, reason: r }`;
  // Nine of its ten days are ripe when it is locked.
  const events = 12 * 9;
  const supposed = (counts: Supposed['counts']) => (segment: string, metric: string) =>
    metric === 'wrong' && segment === 'gold'
      ? { by: 'recorded' as const, rollout: 'desk-2', counts }
      : undefined;
  const wrongOf = (counts: Supposed['counts']) =>
    forecastPlan(release(guardrails), agentFrom(AGENT), () => 12, supposed(counts));

  test('is that of a baseline with this traffic, at half of the weight of its rate; silence is harm in it', () => {
    const told = wrongOf({ events: 50, harms: 2, known: 40 });
    // Half of the weights: of the guardrail, its share of two, of the rate beside its count, and of the bound.
    const part = 0.05 * 0.5 * 0.4 * 0.5 * 0.5 * 0.5;
    const { limit, upper } = lockedLimit({ events, harms: 4, known: 86 }, 0.5, part);
    const [wrong] = told.guardrails;
    expect(wrong).toMatchObject({
      limit: null,
      baseline: { gold: { by: 'recorded', rollout: 'desk-2', level: 0.04, events, limit } },
    });
    expect(upper).toBeGreaterThan((4 + 22) / events);
    const share = told.shares.find((one) => one.guardrail === 'wrong' && one.segment === 'gold');
    expect(share?.weight).toBeCloseTo(0.5 * 0.4 * 0.5 * 0.5 * 0.5, 12);
    const volume = { segment: 'gold', metric: 'wrong', writes: 120, unasked: 0, days: 10 };
    expect(wrong?.perDay).toEqual({ gold: dayLimit(volume, limit ?? 0, undefined).perDay });
  });

  test('of which nothing is supposed, or nothing would come, there is none', () => {
    const [wrong] = forecastPlan(release(guardrails), agentFrom(AGENT), () => 12).guardrails;
    expect(wrong).toMatchObject({ limit: null, baseline: {}, perDay: {} });
    const none = forecastPlan(release(guardrails), agentFrom(AGENT), () => 0, supposed(countsAt(0.1)));
    expect(none.guardrails[0]?.baseline?.gold?.limit).toBeNull();
    expect(reachOf(none).find(({ metric }) => metric === 'wrong')).toMatchObject({
      ...{ limit: null, needed: null, tooThin: true, exposureNeeded: null },
    });
    expect(falseStops(none, 1, 5, randomFrom(1))).toBe(0);
  });

  test('of a sum it is by the moments of its values, each 0 or the cap where only a mean is said', () => {
    const [, cost] = forecastPlan(
      release(guardrails),
      agentFrom(AGENT),
      () => 12,
      () => ({
        by: 'given',
        counts: countsAt(0.5, 5),
      }),
    ).guardrails;
    const values = { sum: events / 2, squares: (events / 2) * 5, over: 0 };
    const row = { segment: 'gold', metric: 'cost', events, harms: 0, known: events, values };
    // Of both processes the least part: the pooled one's, over both segments.
    const part = 0.05 * Math.min(0.5 * 0.4 * 0.5, (0.5 * 0.5) / 2) * 0.5;
    expect(cost?.baseline?.gold).toEqual({
      ...{ by: 'given', level: 0.5, events, limit: lockedMean(row, 5, 0.2, part).limit },
    });
  });
});

describe('what is weighed', () => {
  test('sums and ratios are played, with their caps, and count no harms a day', () => {
    const { guardrails } = planOf(`    - { metric: cost, limit: 0.4, control: { more: 0.1 }, reason: r }
    - { metric: case, limit: 2, reason: r, on: { inconclusive: pass } }`);
    expect(guardrails).toEqual([
      {
        metric: 'cost',
        limit: 0.4,
        reportsOnly: false,
        passes: false,
        values: { kind: 'sum', cap: 5 },
        control: { more: 0.1 },
      },
      { metric: 'case', limit: 2, reportsOnly: false, passes: true, values: { kind: 'ratio', perMax: 3 } },
    ]);
  });

  test('what cannot be is told apart, each with its reason', () => {
    const told = release(`    - { metric: wrong, limit: { baseline: { margin: 0.5 } }, reason: r }
    - { metric: tight, limit: 5, reason: r }
    - { metric: cost, limit: 4.9, reason: r }`);
    expect(unforecast(told, agentFrom(AGENT))).toEqual([
      { metric: 'tight', because: 'its cap is not above its limit, so nothing exceeds it' },
    ]);
    expect(forecastPlan(told, agentFrom(AGENT), () => 1).guardrails.map(({ metric }) => metric)).toEqual([
      'wrong',
      'cost',
    ]);
  });
});
