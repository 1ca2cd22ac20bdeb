import { describe, expect, test } from 'vitest';
import { checkRelease } from '../../../../src/domain/manifest/check-release.ts';
import { agentOf, releaseOf } from './fixtures.ts';

const metrics = {
  wrong: { unit: 'conversation', business: 'workload', decidedBy: 'policy' },
  denied: { unit: 'conversation', business: 'workload', denials: true },
};
const approvers = { desk: ['ana', 'ben'], leads: ['ben'] };
const GRANTS = [
  { tool: 'lookup' },
  { tool: 'cancel', approval: 'none' },
  { tool: 'refund', approval: 'desk' },
];
const AS_GRANTED = { writes: 'as-granted' };
const LAST = { days: 30, exposure: { '*': 100 } };

/** Two constrained steps, one of scale, and what is wrong with them. */
function problemsOf(
  steps: readonly object[],
  { rollout = {}, agent = {}, last = {} }: { rollout?: object; agent?: object; last?: object } = {},
): string[] {
  const plan = {
    guardrails: [{ metric: 'denied', limit: 0.1, reason: 'x' }],
    constrained: steps.map((step) => ({ days: 10, exposure: { gold: 10 }, ...step })),
    scale: [{ ...LAST, ...last }],
    ...rollout,
  };
  return checkRelease(releaseOf(GRANTS, { rollout: plan }), agentOf({ metrics, approvers, ...agent })).map(
    ({ path, message, hint }) => `${path.join('.')}: ${message}. ${hint}`,
  );
}

describe('who confirms where each write asks', () => {
  const nobody =
    'grants.1.approval: Step 2 of the rollout asks for each write, and this grant asks nobody for "cancel". Write asks: <group> under rollout, or writes: as-granted at the step';

  test('is named, or the only group there is', () => {
    expect(problemsOf([{}])).toEqual([nobody]);
    expect(problemsOf([AS_GRANTED])).toEqual([]);
    expect(problemsOf([{}], { rollout: { asks: 'leads' } })).toEqual([]);
    expect(problemsOf([{}], { agent: { approvers: { desk: ['ana'] } } })).toEqual([]);
    // What is only adopted takes no steps.
    expect(problemsOf([{}], { rollout: { guardrails: [] } })).toEqual([]);
  });

  test('is a group that exists and in which somebody may approve', () => {
    expect(problemsOf([AS_GRANTED], { rollout: { asks: 'lead' } })).toEqual([
      'rollout.asks: There is no approver group "lead". Did you mean "leads"?',
    ]);
    const owners = { approvers: { desk: ['ana'], leads: ['olga'] } };
    expect(problemsOf([AS_GRANTED], { rollout: { asks: 'leads' }, agent: owners })[0]).toMatch(
      /^rollout\.asks/,
    );
  });
});

test('a step that waits for what only counts unasked writes does not ask for each of them', () => {
  const waits = (gate: object, step: object = {}) =>
    problemsOf([{ gate, ...step }], {
      rollout: { asks: 'desk', guardrails: [{ metric: 'wrong', limit: 0.1, reason: 'x' }] },
    });
  const never =
    'rollout.constrained.0.gate: Step 2 waits for events of "wrong", which counts unasked writes only, and each write asks there. Write writes: as-granted at the step, or a guardrail on what people deny or correct';
  expect(waits({ sample: 5, verdicts: 'no-breach' })).toEqual([never]);
  expect(waits({ verdicts: 'ok' })).toEqual([never]);
  expect(waits({ verdicts: 'no-breach' })).toEqual([]);
  expect(waits({ sample: 5 }, AS_GRANTED)).toEqual([]);
});

describe('tools of a step', () => {
  const tools = (...steps: string[][]) => problemsOf(steps.map((names) => ({ ...AS_GRANTED, tools: names })));

  test('are those of the release, and only grow', () => {
    expect(tools(['lookup'], ['lookup', 'cancel'])).toEqual([]);
    expect(tools(['lookup', 'cancle'])).toEqual([
      'rollout.constrained.0.tools.1: No grant of this release covers "cancle". Did you mean "cancel"?',
    ]);
    expect(tools(['lookup', 'cancel'], ['lookup'])).toEqual([
      'rollout.constrained.1.tools: Step 3 takes "cancel" back, which the step before grants. Add cancel; to take it back, roll back',
    ]);
  });

  test('what a step without any grants is not taken back either', () => {
    expect(problemsOf([AS_GRANTED, { ...AS_GRANTED, tools: ['lookup', 'cancel'] }])).toEqual([
      'rollout.constrained.1.tools: Step 3 takes "refund" back, which the step before grants. Add refund; to take it back, roll back',
    ]);
  });
});

test.each([
  [{ writes: 'ask' }, 'each write asked', 'writes', 'writes: ask'],
  [{ limits: { perHour: 5 } }, 'limits of its own', 'limits', 'limits'],
  [{ tools: ['lookup', 'cancel', 'refund'] }, 'only a part of the tools', 'tools', 'tools'],
])('the plan does not end with %j, which nobody would have seen without', (last, what, member, without) => {
  expect(problemsOf([AS_GRANTED], { rollout: { asks: 'desk' }, last })).toEqual([
    `rollout.scale.0.${member}: The plan ends with ${what}, and would then come in force without. Add a last step without ${without}`,
  ]);
});

test('what a breach always comes before is refused; so is nobody to confirm, and "none"', () => {
  const early = (measures: object, rollout: object = {}) =>
    problemsOf([AS_GRANTED], {
      rollout: {
        guardrails: [{ metric: 'denied', limit: 0.1, reason: 'x', early: measures }],
        ...rollout,
      },
    });
  expect(early({ hold: 149 })).toEqual([]);
  expect(early({ hold: 150 })).toEqual([
    'rollout.guardrails.0.early.hold: A breach of "denied" comes at an e-value of 150, before this. Write less',
  ]);
  expect(early({ ask: 20 })).toEqual([
    'grants.1.approval: "early" of guardrail "denied" asks for each write, and this grant asks nobody for "cancel". Write asks: <group> under rollout',
  ]);
  expect(early({ ask: 20 }, { asks: 'desk' })).toEqual([]);
  expect(early({}, { asks: 'none' })).toEqual([
    'rollout.asks: "none" confirms nothing. Name an approver group',
  ]);
});

test('what only reports does nothing early', () => {
  const guardrail = { metric: 'denied', limit: 0.1, reason: 'x', action: 'report', early: { hold: 20 } };
  expect(problemsOf([AS_GRANTED], { rollout: { guardrails: [guardrail] } })).toEqual([
    'rollout.guardrails.0.early: Guardrail "denied" only reports: what a verdict does has no effect. Leave "early" out, or write action: rollback',
  ]);
});
