import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import type { CompiledGrant, CompiledRelease } from '../../../../src/domain/decision/compiled.ts';
import { decide, type World } from '../../../../src/domain/decision/decide.ts';
import { checkRelease } from '../../../../src/domain/manifest/check-release.ts';
import { releaseSchema } from '../../../../src/domain/release.ts';
import { agentOf } from './fixtures.ts';

const agent = agentOf({
  attributes: { tier: 'string', vip: 'bool' },
  segments: [],
  tools: {
    pay: {
      args: {
        type: 'object',
        required: ['amount', 'to'],
        properties: {
          amount: { type: 'integer', minimum: 0, maximum: 9 },
          to: { type: 'string', enum: ['a', 'b', 'c'] },
        },
      },
    },
  },
});
const compiled = compileAgent(agent);
/** Every request there is. */
const requests = Array.from({ length: 10 }, (_, amount) => amount).flatMap((amount) =>
  ['a', 'b', 'c'].flatMap((to) =>
    [true, false].map((vip) => ({
      tool: 'pay',
      args: { amount, to },
      attributes: { tier: 'gold', vip },
      claimed: {},
      subject: 's',
    })),
  ),
);

const condition = fc.constantFrom(
  'args.amount < 5',
  'args.amount <= 2',
  'args.amount > 7',
  'args.amount == 3',
  'args.to == "a"',
  'args.to != "a"',
  'args.to in ["a", "b"]',
  'context.vip',
  '!context.vip',
  'context.vip && args.amount >= 4',
  'args.amount < 4 || args.to == "c"',
);
const when = fc.option(condition, { nil: undefined });
const approval = fc.oneof(
  fc.constant('none'),
  fc.constant('desk'),
  fc.record({
    group: fc.constant('desk'),
    quorum: fc.constantFrom(1, 2),
    unless: fc.option(condition, { nil: undefined }),
    reason: fc.constantFrom('optional', 'required'),
  }),
);
const grant = fc.oneof(
  { weight: 4, arbitrary: fc.record({ when, approval }) },
  { weight: 1, arbitrary: fc.record({ when, deny: fc.constantFrom('No', 'Never') }) },
);
const grants = fc
  .array(grant, { minLength: 1, maxLength: 4 })
  .map((list) => list.map((one, at) => ({ tool: 'pay', name: `g${at}`, ...one })));

const release = (list: readonly Record<string, unknown>[]) =>
  releaseSchema.parse({ agent: 'desk', release: 1, grants: list });
const compile = (list: readonly Record<string, unknown>[]): CompiledRelease =>
  compileRelease(release(list), agent);

/** What every request is answered, in everything that people or the agent can tell. */
function answers(given: CompiledRelease, change: (grants: readonly CompiledGrant[]) => CompiledGrant[]) {
  const one = { ...given, grants: new Map([['pay', change(given.grants.get('pay') ?? [])]]) };
  const world: World = { agent: compiled, switches: [], inForce: { default: '1' }, releases: { 1: one } };
  return requests.map((request) => {
    const { outcome, approval: asked, grant: by } = decide(request, world);
    return { outcome, all: JSON.stringify([outcome, asked, by?.name]) };
  });
}
const whole = (grants: readonly CompiledGrant[]) => [...grants];
const without = (at: number) => (grants: readonly CompiledGrant[]) =>
  grants.filter(({ index }) => index !== at);
const alwaysAsking = (at: number) => (grants: readonly CompiledGrant[]) =>
  grants.map(({ unless, ...grant }) => (grant.index === at || !unless ? grant : { ...grant, unless }));

describe('a grant that decides nothing', () => {
  test('is refused exactly when leaving it out changes no answer to any request', () => {
    fc.assert(
      fc.property(grants, (list) => {
        const problems = checkRelease(release(list), agent);
        const given = compile(list);
        const before = answers(given, whole);
        list.forEach((one, at) => {
          const found = problems.filter(({ path }) => path[0] === 'grants' && path[1] === at);
          const rest = answers(given, without(at));
          const unlike = before.some((answer, index) => answer.all !== rest[index]?.all);
          if (found.some(({ message }) => message.startsWith('No request'))) expect(unlike).toBe(false);
          // Alone and never true is another problem, told elsewhere.
          if (!unlike && list.length > 1 && one.when !== undefined) expect([at, found]).not.toEqual([at, []]);
        });
      }),
      { numRuns: 40 },
    );
  });

  test('and so is an "unless" that lets nothing run unasked', () => {
    fc.assert(
      fc.property(grants, (list) => {
        const problems = checkRelease(release(list), agent);
        const given = compile(list);
        const before = answers(given, whole);
        list.forEach((one, at) => {
          const unless = (one as { approval?: { unless?: string } }).approval?.unless;
          const found = problems.filter(({ path }) => path[0] === 'grants' && path[1] === at);
          if (unless === undefined || found.some(({ message }) => message.startsWith('No request'))) return;
          const asked = answers(given, alwaysAsking(at));
          const some = before.some(({ outcome }, index) => outcome !== asked[index]?.outcome);
          if (some) expect(found.filter(({ message }) => message.startsWith('Its "unless"'))).toEqual([]);
          else expect(found).not.toEqual([]);
        });
      }),
      { numRuns: 40 },
    );
  });
});
