import { describe, expect, test } from 'vitest';
import { isOfType } from '../../../../src/domain/decision/attributes.ts';
import { compileAgent } from '../../../../src/domain/decision/compile.ts';
import { decideIn } from '../../../../src/domain/decision/decide.ts';
import type { DecisionRequest } from '../../../../src/domain/decision.ts';
import { verifies } from '../../../requirements.ts';
import { agentOf } from '../manifest/fixtures.ts';
import { ask, codes, lenient, worldOf } from './worlds.ts';

const DESK = { tool: 'cancel', approval: 'desk' };
const when = (tier: string, more: Record<string, unknown>) => ({
  tool: 'cancel',
  when: `context.tier == "${tier}"`,
  ...more,
});
const SILVER = { claimed: { tier: 'silver' } };

describe('what the agent claims', () => {
  const DENY = when('silver', { deny: 'Not for silver' });

  test.each([
    ['allowed', { tool: 'cancel', approval: 'none' }],
    ['pending', DESK],
  ])('denies what would be %s, if it leads there', (outcome, grant) => {
    const world = worldOf([grant, DENY]);
    expect(ask({}, world).outcome).toBe(outcome);
    const decision = ask(SILVER, world);
    expect(decision).toMatchObject({ outcome: 'denied', segment: 'gold', release: '1' });
    expect(codes(decision)).toEqual(['claim_stricter', 'denied_by_grant']);
    expect(decision.grant).toBeUndefined();
    expect(decision.approval).toBeUndefined();
  });

  test('changes nothing where it leads to as many people', () => {
    const world = worldOf([when('gold', { approval: 'desk' }), when('silver', { approval: 'desk' })]);
    expect(ask(SILVER, world)).toEqual(ask({}, world));
  });

  test.each([null, undefined, 'silver', 7])('says nothing when it is %j', (claimed) => {
    expect(codes(ask({ claimed } as never, lenient))).toEqual(['granted']);
  });
});

describe('whoever is behind a request', () => {
  const behindOf = (grant: Record<string, unknown>, behind: string[]) =>
    ask({ behind }, worldOf([{ ...DESK, ...grant }]));

  test('must be somebody of the agent where the grant says so', () => {
    const strict = { strictBehind: true };
    expect(codes(behindOf(strict, ['a stranger']))).toEqual(['behind_unknown']);
    expect(behindOf(strict, ['a stranger']).outcome).toBe('denied');
    expect(codes(behindOf(strict, ['ana', 'a stranger']))).toEqual(['behind_unknown']);
    expect(behindOf(strict, ['ana']).outcome).toBe('pending');
    expect(behindOf(strict, []).outcome).toBe('pending');
    expect(ask({}, worldOf([{ ...DESK, ...strict }])).outcome).toBe('pending');
  });

  test('may be anybody where no grant says so', () => {
    expect(behindOf({}, ['a stranger']).outcome).toBe('pending');
    expect(behindOf({ strictBehind: false }, ['a stranger']).outcome).toBe('pending');
  });

  test('must be known too where only the grant that asks fewer people says so', () => {
    const world = worldOf([
      { tool: 'cancel', approval: { group: 'desk', quorum: 2 } },
      { ...DESK, strictBehind: true },
    ]);
    expect(codes(ask({ behind: ['a stranger'] }, world))).toEqual(['behind_unknown']);
  });

  test('is no reason of its own where the answer is no anyway', () => {
    const world = worldOf([{ tool: 'cancel', deny: 'Closed', strictBehind: true }]);
    expect(codes(ask({ behind: ['a stranger'] }, world))).toEqual(['denied_by_grant']);
  });
});

describe('a request of another form than its type says', () => {
  const OPEN = agentOf({ tools: { anything: { kind: 'write' } } });
  const world = { ...worldOf([{ tool: 'anything', approval: 'none' }]), agent: compileAgent(OPEN) };
  const refused = (more: Record<string, unknown>) =>
    codes(ask({ tool: 'anything', args: {}, ...more } as Partial<DecisionRequest>, world));

  test.each([null, [], ['a'], 'text', 7, undefined])('arguments %j are denied, whatever the tool', (args) => {
    expect(refused({ args })).toEqual(['args_invalid']);
  });

  test('a tool or a subject that is no text is denied by its name', () => {
    expect(refused({ tool: 7 })).toEqual(['unknown_tool']);
    expect(refused({ tool: ['anything'] })).toEqual(['unknown_tool']);
    expect(refused({ subject: 7 })).toEqual(['args_invalid']);
    expect(refused({ subject: ['s'] })).toEqual(['args_invalid']);
  });
});

describe('a tool that nobody declared', () => {
  test.each(['nonesuch', 'constructor', 'toString', '__proto__', 'hasOwnProperty'])(
    '"%s" is of high risk, and counts as a write',
    (tool) => {
      expect(ask({ tool }, lenient)).toMatchObject({ outcome: 'denied', risk: 'high' });
      expect(codes(ask({ tool }, lenient))).toEqual(['unknown_tool']);
      const off = { ...lenient, switches: [{ scope: 'everything', reads: false }] };
      expect(codes(ask({ tool }, off))).toEqual(['switched_off']);
    },
  );

  test('is told what to do, also where no name is near', () => {
    expect(ask({ tool: 'zzzzzzzzzzzz' }, lenient).reasons[0]?.hint).toBe('Declare it in the agent manifest');
  });
});

describe('a request that cannot be evaluated is denied', () => {
  test('where a segment errs, whatever the segments after it would say', () => {
    const agent = agentOf({
      segments: [
        { name: 'gold', when: 'int(context.tier) > 1' },
        { name: 'silver', when: 'context.tier == "x"' },
      ],
    });
    const world = { ...worldOf([{ tool: 'cancel', approval: 'none' }]), agent: compileAgent(agent) };
    expect(ask({ attributes: { tier: '1' } }, world).outcome).toBe('allowed');
    const decision = ask({ attributes: { tier: 'x' } }, world);
    expect(decision).toMatchObject({ outcome: 'denied', segment: 'default', arm: 'control' });
    expect(decision.reasons).toMatchObject([
      { code: 'condition_error', message: expect.stringContaining('"gold"') },
    ]);
  });

  test('where reading it fails', () => {
    const attributes = Object.defineProperty({}, 'tier', {
      enumerable: true,
      get: () => {
        throw new Error('no');
      },
    });
    const decision = ask({ attributes }, lenient);
    expect(decision).toMatchObject({ outcome: 'denied', segment: 'default', arm: 'control', risk: 'high' });
    expect(codes(decision)).toEqual(['condition_error']);
  });
});

test('a switch is named as people know it', () => {
  const saidBy = (scope: string) =>
    ask({}, { ...lenient, switches: [{ scope, reads: false }] }).reasons[0]?.message;
  expect(saidBy('everything')).toBe('Everything is switched off');
  expect(saidBy('agent/desk')).toBe('"agent/desk" is switched off');
});

verifies(
  'never:secret-leaks',
  'what is said of misfitting arguments names no member of something redacted',
  () => {
    const people = { type: 'object', additionalProperties: false, properties: { a: { type: 'integer' } } };
    const agent = agentOf({
      tools: {
        pay: {
          args: { type: 'object', properties: { to: people, amount: { type: 'integer' } } },
          redact: ['to'],
        },
      },
    });
    const world = { ...worldOf([{ tool: 'pay', approval: 'none' }]), agent: compileAgent(agent) };
    const said = (args: Record<string, unknown>) =>
      ask({ tool: 'pay', args }, world).reasons.map(({ code, message }) => `${code}: ${message}`);
    expect(said({ to: { 'mia@example.com': 'five' } })).toEqual([
      expect.stringMatching(/^args_invalid: (?!.*mia)/),
    ]);
    expect(said({ to: {}, amount: 'five' })).toEqual([expect.stringMatching(/^args_invalid: .*amount/)]);
  },
);

test('a request whose place is fixed keeps the subject it was asked with', () => {
  const agent = agentOf({
    assertions: { jwks: 'https://issuer.example.com/keys' },
    segments: [{ name: 'gold', when: 'context.tier == "gold"', subject: 'assertion.sub' }],
  });
  const world = { ...worldOf([DESK]), agent: compileAgent(agent) };
  const request = { tool: 'cancel', args: { id: 'a' }, attributes: { tier: 'gold' }, claimed: {} };
  const place = { segment: 'gold', arm: 'control' as const, release: '1' };
  expect(ask({}, world)).toMatchObject({
    outcome: 'denied',
    reasons: [{ code: 'attribute_missing', hint: 'Send an assertion with "sub"' }],
  });
  expect(ask({ vouched: 'c-1' }, world)).toMatchObject({ outcome: 'pending', subject: { name: 'c-1' } });
  expect(decideIn({ ...request, subject: 'c-1' }, world, place)).toMatchObject({
    outcome: 'pending',
    ...place,
  });
});

test.each([
  ['string', ['x', ''], [1, null, true]],
  ['bool', [true, false], ['true', 0, null]],
  ['int', [0, -1, 9_007_199_254_740_991], [0.5, '1', 2 ** 53, Number.NaN, null]],
  ['double', [0, 0.5, -1e300], ['1', Number.NaN, Number.POSITIVE_INFINITY, null]],
] as const)('isOfType() knows a %s', (type, those, others) => {
  expect(those.map((value) => isOfType(value, type))).toEqual(those.map(() => true));
  expect(others.map((value) => isOfType(value, type))).toEqual(others.map(() => false));
});
