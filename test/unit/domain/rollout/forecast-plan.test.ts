import { describe, expect, test } from 'vitest';
import { dayLimit } from '../../../../src/domain/evidence/day-limit.ts';
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
      { metric: 'wrong', because: 'its limit comes with the baseline' },
      { metric: 'tight', because: 'its cap is not above its limit, so nothing exceeds it' },
    ]);
    expect(forecastPlan(told, agentFrom(AGENT), () => 1).guardrails.map(({ metric }) => metric)).toEqual([
      'cost',
    ]);
  });
});
