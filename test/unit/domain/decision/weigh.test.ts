import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import { decide, type World } from '../../../../src/domain/decision/decide.ts';
import { type CompiledStanding, earnedKey } from '../../../../src/domain/decision/weigh.ts';
import type { DecisionRequest } from '../../../../src/domain/decision.ts';
import { agentOf, releaseOf } from '../manifest/fixtures.ts';

const agent = agentOf({
  tools: {
    pay: {
      risk: 'low',
      risks: [
        { when: 'args.amount > 100', risk: 'high' },
        { when: '100 / args.by > 10', risk: 'medium' },
      ],
      args: {
        type: 'object',
        required: ['amount', 'by'],
        properties: { amount: { type: 'integer' }, by: { type: 'integer' } },
      },
    },
  },
});

function ask(
  grants: readonly Record<string, unknown>[],
  request: Partial<DecisionRequest> = {},
  more: Partial<World> = {},
) {
  const world: World = {
    agent: compileAgent(agent),
    switches: [],
    inForce: { gold: '1', silver: '1', default: '1' },
    releases: { 1: compileRelease(releaseOf(grants), agent) },
    ...more,
  };
  const asked = {
    tool: 'pay',
    args: { amount: 5, by: 50 },
    attributes: { tier: 'gold' },
    claimed: {},
    subject: 's',
  };
  const { outcome, reasons, risk, ...rest } = decide({ ...asked, ...request }, world);
  return {
    outcome,
    code: reasons[0]?.code,
    message: reasons[0]?.message,
    hint: reasons[0]?.hint,
    risk,
    ...rest,
  };
}

const asking = (rules: readonly Record<string, unknown>[]) => ({
  tool: 'pay',
  approval: { group: 'desk', rules },
});
const small = { when: 'args.amount < 10', answer: 'approve', reason: 'pocket money' };

describe('the risk of a call', () => {
  test('is the highest that matches, and high when a condition fails', () => {
    const risk = (args: Record<string, unknown>) => ask([{ tool: 'pay', approval: 'desk' }], { args }).risk;
    expect(risk({ amount: 5, by: 50 })).toBe('low');
    expect(risk({ amount: 5, by: 5 })).toBe('medium');
    expect(risk({ amount: 500, by: 5 })).toBe('high');
    // Division by zero: nobody knows, so it is high.
    expect(risk({ amount: 5, by: 0 })).toBe('high');
  });
});

test('a condition reads the arguments as the types that their schema says', () => {
  const half = { tool: 'pay', when: 'args.amount / 2 == 2', approval: 'none' };
  expect(ask([half]).outcome).toBe('allowed');
  expect(ask([half], { args: { amount: 6, by: 1 } }).code).toBe('condition_not_met');
});

describe('rules of an approval', () => {
  test('deny beats ask beats approve', () => {
    const never = { when: 'args.amount == 7', answer: 'deny', reason: 'unlucky' };
    const always = { when: 'args.amount == 6', answer: 'ask' };
    const grants = [asking([small, always, never])];
    expect(ask(grants)).toMatchObject({
      outcome: 'allowed',
      code: 'approved_by_rule',
      message: 'pocket money',
    });
    expect(ask(grants, { args: { amount: 6, by: 50 } })).toMatchObject({ outcome: 'pending' });
    expect(ask(grants, { args: { amount: 7, by: 50 } })).toMatchObject({
      outcome: 'denied',
      code: 'denied_by_rule',
      message: 'unlucky',
    });
  });

  test('approve low risk only', () => {
    expect(ask([asking([small])], { args: { amount: 5, by: 5 } })).toMatchObject({
      outcome: 'pending',
    });
    expect(ask([asking([small])], { args: { amount: 5, by: 0 } })).toMatchObject({
      outcome: 'pending',
      risk: 'high',
    });
  });

  test('a rule that fails never lets through', () => {
    const failing = (answer: string) => asking([small, { when: '100 / args.by > 10', answer }]);
    const args = { amount: 5, by: 0 };
    expect(ask([failing('approve')], { args }).outcome).toBe('pending');
    expect(ask([failing('ask')], { args }).outcome).toBe('pending');
    expect(ask([failing('deny')], { args }).outcome).toBe('denied');
  });

  test('a rule that approves and does not hold approves nothing', () => {
    expect(ask([asking([small])], { args: { amount: 50, by: 50 } })).toMatchObject({
      outcome: 'pending',
      risk: 'low',
    });
  });

  test('without words of its own a rule is told by its grant', () => {
    const told = (answer: string) => ask([asking([{ when: 'args.amount == 5', answer }])]).message;
    expect(told('deny')).toBe('A rule of grant "pay-1" denies it');
    expect(told('approve')).toBe('A rule of grant "pay-1" approves low risk');
  });

  test('every grant that asks must be answered by its own rule, and any may deny', () => {
    const other = { tool: 'pay', approval: { group: 'desk', quorum: 2 } };
    expect(ask([asking([small]), other])).toMatchObject({ outcome: 'pending', grant: { name: 'pay-2' } });
    expect(ask([asking([{ when: 'args.amount == 5', answer: 'deny' }]), other]).outcome).toBe('denied');
    expect(ask([asking([small]), { tool: 'pay', deny: 'closed' }])).toMatchObject({
      code: 'denied_by_grant',
    });
  });
});

test('of several grants that ask, the most people are asked, as strictly as any of them says', () => {
  const two = { tool: 'pay', approval: { group: 'desk', quorum: 2, breakGlass: 'emergency' } };
  const strict = {
    tool: 'pay',
    approval: { group: 'desk', reason: 'required', slackApproves: 'not-high', standing: 'forbidden' },
  };
  expect(ask([two]).approval).toMatchObject({ breakGlass: 'emergency', standing: 'allowed' });
  for (const grants of [
    [two, strict],
    [strict, two],
  ]) {
    const { approval } = ask(grants);
    expect(approval).toMatchObject({
      stages: [[{ group: 'desk', quorum: 2 }]],
      reason: 'required',
      slackApproves: 'not-high',
      standing: 'forbidden',
    });
    expect(approval).not.toHaveProperty('breakGlass');
  }
  const glass = (breakGlass: string) => ({ tool: 'pay', approval: { group: 'desk', breakGlass } });
  expect(ask([two, glass('emergency')]).approval).toMatchObject({ breakGlass: 'emergency' });
  expect(ask([two, glass('desk')]).approval).not.toHaveProperty('breakGlass');
});

describe('what was earned', () => {
  const earned = (grant = 'pay-1', segment = 'gold', version = '1.0') => ({
    earned: new Set([earnedKey('1', grant, 'pay', segment, version)]),
  });
  const grants = [{ tool: 'pay', approval: 'desk', earn: { above: 0.9 } }];

  test('holds for this grant, segment and build alone', () => {
    const build = { agentVersion: '1.0' };
    expect(ask(grants, build, earned())).toMatchObject({ outcome: 'allowed', code: 'earned', earned: true });
    expect(ask(grants, { agentVersion: '1.1' }, earned()).outcome).toBe('pending');
    expect(ask(grants, {}, earned()).outcome).toBe('pending');
    expect(ask(grants, build, earned('pay-2')).outcome).toBe('pending');
    expect(ask(grants, { ...build, attributes: { tier: 'silver' } }, earned()).outcome).toBe('pending');
  });

  test('gives way to a rule that always asks and to a denial', () => {
    const build = { agentVersion: '1.0' };
    const rules = (answer: string) => [asking([{ when: 'args.amount == 5', answer }])];
    expect(ask(rules('ask'), build, earned()).outcome).toBe('pending');
    expect(ask(rules('deny'), build, earned()).outcome).toBe('denied');
    expect(ask([...grants, { tool: 'pay', approval: 'desk' }], build, earned()).outcome).toBe('pending');
  });

  test('a claim that leads elsewhere asks', () => {
    const claimed = { tier: 'silver' };
    expect(ask(grants, { agentVersion: '1.0', claimed }, earned()).outcome).toBe('pending');
  });
});

describe('a standing approval', () => {
  const standing = (more: Partial<CompiledStanding> = {}): Pick<World, 'standings'> => ({
    standings: [
      {
        id: 's-1',
        tool: 'pay',
        grant: 'pay-1',
        release: '1',
        segment: 'gold',
        arm: 'control',
        generation: null,
        risk: 'high',
        matches: ({ args }) => (args?.amount === 5 ? 'true' : 'false'),
        ...more,
      },
    ],
  });
  const grants = [{ tool: 'pay', approval: 'desk' }];

  test('covers the like of it, in its place', () => {
    expect(ask(grants, {}, standing())).toMatchObject({
      outcome: 'allowed',
      code: 'standing_approval',
      standing: 's-1',
    });
    expect(ask(grants, { args: { amount: 6, by: 50 } }, standing()).outcome).toBe('pending');
    for (const other of [
      { segment: 'silver' },
      { grant: 'pay-2' },
      { release: '2' },
      { tool: 'wire' },
      { arm: 'candidate' as const },
      { generation: 1 },
      { matches: () => 'error' as const },
    ])
      expect(ask(grants, {}, standing(other)).outcome).toBe('pending');
  });

  test('nothing that is riskier than what it was given with', () => {
    expect(ask(grants, {}, standing({ risk: 'low' })).outcome).toBe('allowed');
    expect(ask(grants, { args: { amount: 5, by: 5 } }, standing({ risk: 'low' })).outcome).toBe('pending');
    expect(ask(grants, { args: { amount: 5, by: 5 } }, standing({ risk: 'medium' })).outcome).toBe('allowed');
  });

  test('nothing where the release forbids it, and a claim takes it away', () => {
    const forbidden = [{ tool: 'pay', approval: { group: 'desk', standing: 'forbidden' } }];
    expect(ask(forbidden, {}, standing()).outcome).toBe('pending');
    expect(ask(grants, { claimed: { tier: 'silver' } }, standing())).not.toHaveProperty('standing');
  });
});

describe('unless', () => {
  const unless = { tool: 'pay', approval: { group: 'desk', unless: 'args.amount < 10' } };
  const of = (amount: number, by = 50) => ({ args: { amount, by } });

  test('one grant asks, and lets run what its condition holds for', () => {
    expect(ask([unless], of(5))).toMatchObject({
      outcome: 'allowed',
      code: 'granted',
      message: 'Granted by "pay-1": it asks, unless args.amount < 10',
    });
    expect(ask([unless], of(10))).toMatchObject({
      outcome: 'pending',
      approval: { stages: [[{ group: 'desk' }]] },
    });
    expect(ask([unless], of(10)).approval).not.toHaveProperty('unless');
  });

  test('another grant that asks still asks, and one that denies still denies', () => {
    const legal = { tool: 'pay', when: 'args.by == 7', approval: 'desk' };
    expect(ask([unless, legal], of(5, 7))).toMatchObject({ outcome: 'pending', grant: { name: 'pay-2' } });
    expect(ask([unless, legal], of(5))).toMatchObject({ outcome: 'allowed' });
    expect(ask([unless, { tool: 'pay', deny: 'no' }], of(5))).toMatchObject({ code: 'denied_by_grant' });
  });

  test('rules that deny or ask go before it', () => {
    const rules = [
      { when: 'args.amount == 7', answer: 'deny' },
      { when: 'args.amount == 6', answer: 'ask' },
    ];
    const ruled = [{ tool: 'pay', approval: { ...unless.approval, rules } }];
    expect(ask(ruled, of(7))).toMatchObject({ code: 'denied_by_rule' });
    expect(ask(ruled, of(6))).toMatchObject({ outcome: 'pending' });
    expect(ask(ruled, of(5))).toMatchObject({ outcome: 'allowed' });
  });

  test('what errs denies, and what the agent claims relaxes nothing', () => {
    const divided = [{ tool: 'pay', approval: { group: 'desk', unless: '100 / args.by > 10' } }];
    expect(ask(divided, of(5, 0))).toMatchObject({ outcome: 'denied', code: 'condition_error' });
    const gold = [{ tool: 'pay', approval: { group: 'desk', unless: 'context.tier == "gold"' } }];
    expect(ask(gold)).toMatchObject({ outcome: 'allowed' });
    expect(ask(gold, { attributes: { tier: 'x' }, claimed: { tier: 'gold' } })).toMatchObject({
      outcome: 'pending',
    });
    expect(ask(gold, { claimed: { tier: 'x' } })).toMatchObject({
      outcome: 'pending',
      code: 'claim_stricter',
    });
  });
});
