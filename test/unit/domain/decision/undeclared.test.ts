import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import { decide } from '../../../../src/domain/decision/decide.ts';
import { type CompiledStanding, earnedKey } from '../../../../src/domain/decision/weigh.ts';
import { verifies } from '../../../requirements.ts';
import { agentOf, releaseOf } from '../manifest/fixtures.ts';

const OPEN = { type: 'object', required: ['to'], properties: { to: { type: 'string' } } };

function ask(
  schema: Record<string, unknown>,
  args: Record<string, unknown>,
  { grant, kind, ...world }: Record<string, unknown> = {},
) {
  const agent = agentOf({ tools: { send: { risk: 'low', args: schema, ...(kind ? { kind } : {}) } } });
  const granted = (grant ?? { tool: 'send', approval: 'none' }) as Record<string, unknown>;
  const { outcome, reasons } = decide(
    { tool: 'send', args, attributes: { tier: 'gold' }, claimed: {}, subject: 's', agentVersion: '1' },
    {
      agent: compileAgent(agent),
      switches: [],
      inForce: { gold: '1', silver: '1', default: '1' },
      releases: { 1: compileRelease(releaseOf([granted]), agent) },
      ...world,
    },
  );
  return { outcome, code: reasons[0]?.code, message: reasons[0]?.message };
}

describe('a write with a member that its schema does not declare', () => {
  test('does not run unasked, and the answer names the member', () => {
    expect(ask(OPEN, { to: 'a' }).outcome).toBe('allowed');
    expect(ask(OPEN, { to: 'a', bcc: 'evil' })).toEqual({
      outcome: 'denied',
      code: 'args_undeclared',
      message:
        'Grant "send-1" lets it run unasked with declared arguments only, and the schema does not declare "args/bcc"',
    });
  });

  verifies('never:secret-leaks', 'is not named where it lies in something redacted', () => {
    const map = {
      type: 'object',
      properties: { to: { type: 'object', properties: { a: { type: 'string' } } } },
    };
    const agent = agentOf({ tools: { send: { risk: 'low', args: map, redact: ['to'] } } });
    const answer = ask(map, { to: { 'mia@example.com': '1' } }, { agent: compileAgent(agent) });
    expect(answer.code).toBe('args_undeclared');
    expect(answer.message).toContain('[redacted]');
    expect(answer.message).not.toContain('mia');
  });

  test('is asked of people where the grant asks, whatever would answer for them', () => {
    const args = { to: 'a', bcc: 'evil' };
    const rules = [{ when: 'true || args.to == "a"', answer: 'approve' }];
    const byRule = {
      tool: 'send',
      approval: { group: 'desk', rules: [{ ...rules[0], when: 'args.to == "a"' }] },
    };
    expect(ask(OPEN, { to: 'a' }, { grant: byRule }).code).toBe('approved_by_rule');
    expect(ask(OPEN, args, { grant: byRule }).outcome).toBe('pending');
    const asking = { tool: 'send', approval: 'desk', name: 'desk' };
    const earned = new Set([earnedKey('1', 'desk', 'send', 'gold', '1')]);
    expect(ask(OPEN, { to: 'a' }, { grant: asking, earned }).code).toBe('earned');
    expect(ask(OPEN, args, { grant: asking, earned }).outcome).toBe('pending');
    const standing: CompiledStanding = {
      id: 's',
      tool: 'send',
      grant: 'desk',
      release: '1',
      segment: 'gold',
      arm: 'control',
      generation: null,
      risk: 'high',
      matches: () => 'true',
    };
    expect(ask(OPEN, { to: 'a' }, { grant: asking, standings: [standing] }).code).toBe('standing_approval');
    expect(ask(OPEN, args, { grant: asking, standings: [standing] }).outcome).toBe('pending');
  });

  test('may be read: a read takes nothing from anybody', () => {
    expect(ask(OPEN, { to: 'a', more: 1 }, { kind: 'read', grant: { tool: 'send' } }).outcome).toBe(
      'allowed',
    );
  });

  const text = { type: 'string' };
  const mail = { type: 'object', properties: { to: text } };
  test.each<[string, Record<string, unknown>, Record<string, unknown>, boolean]>([
    ['a member that is declared', { properties: { a: text } }, { a: 'x' }, true],
    ['one more', { properties: { a: text } }, { a: 'x', b: 1 }, false],
    ['one more inside', { properties: { mail } }, { mail: { to: 'x', bcc: 'y' } }, false],
    [
      'one more in a list',
      { properties: { mails: { items: mail } } },
      { mails: [{ to: 'x' }, { bcc: 'y' }] },
      false,
    ],
    [
      'everything, when it says so without saying what',
      { properties: { a: text }, additionalProperties: true },
      { b: 1 },
      false,
    ],
    ['a map that says what it holds', { additionalProperties: text }, { b: 'x' }, true],
    ['a map of a pattern', { patternProperties: { '^x_': text } }, { x_1: 'x' }, true],
    ['a member that may be anything', { properties: { any: {} } }, { any: 'x' }, true],
    ['an object where anything may be', { properties: { any: {} } }, { any: { bcc: 'x' } }, false],
    [
      'an object in a list where anything may be',
      { properties: { any: {} } },
      { any: [[{ bcc: 'x' }]] },
      false,
    ],
    [
      'members that two schemas declare together',
      { allOf: [{ properties: { a: text } }], properties: { b: text } },
      { a: 'x', b: 'y' },
      true,
    ],
    [
      'members inside that two schemas declare together',
      { allOf: [{ properties: { m: mail } }], properties: { m: { properties: { cc: text } } } },
      { m: { to: 'x', cc: 'y' } },
      true,
    ],
    [
      'a member of a reference',
      { $defs: { m: mail }, properties: { m: { $ref: '#/$defs/m' } } },
      { m: { to: 'x' } },
      true,
    ],
    [
      'one more than a reference',
      { $defs: { m: mail }, properties: { m: { $ref: '#/$defs/m' } } },
      { m: { bcc: 'x' } },
      false,
    ],
    [
      'a member of a form that does not fit',
      {
        properties: { kind: text },
        anyOf: [
          { properties: { kind: { const: 'a' }, to: text } },
          { properties: { kind: { const: 'b' }, bcc: text } },
        ],
      },
      { kind: 'a', to: 'x', bcc: 'y' },
      false,
    ],
    [
      'what only "not" names',
      { properties: { a: text }, not: { required: ['c'], properties: { b: text } } },
      { a: 'x', b: 'y' },
      false,
    ],
    [
      'what unevaluatedProperties says',
      { properties: { a: text }, unevaluatedProperties: text },
      { b: 'x' },
      true,
    ],
  ])('%s', (_what, schema, args, covered) => {
    expect(ask({ type: 'object', ...schema }, args).code).toBe(covered ? 'granted' : 'args_undeclared');
  });
});
