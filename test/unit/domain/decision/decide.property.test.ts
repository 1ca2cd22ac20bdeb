import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import type { CompiledRelease } from '../../../../src/domain/decision/compiled.ts';
import { type Decision, decide, type World } from '../../../../src/domain/decision/decide.ts';
import { type DecisionRequest, REASON_CODES, type SegmentExposure } from '../../../../src/domain/decision.ts';
import { quorumOf } from '../../../../src/domain/release.ts';
import { agentOf, releaseOf } from '../manifest/fixtures.ts';

const agent = agentOf({ attributes: { tier: 'string', vip: 'bool' } });
const compiled = compileAgent(agent);
const compiledAgain = compileAgent(agent);
const SEGMENTS = ['gold', 'silver', 'default'] as const;
const STRICTNESS = { allowed: 0, pending: 1, denied: 2 };

const when = fc.constantFrom(
  undefined,
  'args.id == "a"',
  'context.vip',
  'context.tier == "gold"',
  '!context.vip',
  'int(args.id) > 1',
);
const tool = fc.constantFrom('lookup', 'cancel', 'refund');
const approval = fc.constantFrom(undefined, 'none', 'desk', { group: 'desk', quorum: 2 });
const deny = fc.constantFrom(undefined, undefined, 'Not today');
const grant = fc.record({ tool: fc.constant('cancel'), when, approval, deny });
const grants = fc.array(grant, { minLength: 1, maxLength: 5 });
const attributes = fc.record({ tier: fc.constantFrom('gold', 'silver', 'bronze'), vip: fc.boolean() });
const claimed = fc.record(
  { tier: fc.constantFrom('gold', 'silver', 3), vip: fc.boolean(), x: fc.anything() },
  { requiredKeys: [] },
);
const args = fc.oneof(
  fc.record({ id: fc.constantFrom('a', 'b', '5') }),
  fc.dictionary(fc.string(), fc.jsonValue()),
);
const subject = fc.string();
const request = fc.record({ tool, args, attributes, claimed, subject });

const exposure = fc.record<SegmentExposure>({
  exposure: fc.integer({ min: 0, max: 10_000 }),
  generation: fc.nat(5),
  state: fc.constantFrom('waiting', 'exposed', 'rolled_back', 'excluded'),
});
const exposures = fc.record({ gold: exposure, silver: exposure, default: exposure }, { requiredKeys: [] });

const compileGrants = (list: readonly Record<string, unknown>[], release: number): CompiledRelease =>
  compileRelease(releaseOf(list, { release }), agent);

const inForce = Object.fromEntries(SEGMENTS.map((name) => [name, '1']));
const world = fc
  .record({
    one: grants,
    two: grants,
    exposures,
    salt: fc.string(),
    rolling: fc.boolean(),
    off: fc.constantFrom('everything', 'tool/desk/cancel', undefined, undefined),
  })
  .map(({ one, two, exposures: segments, salt, rolling, off }): World => {
    const releases = { 1: compileGrants(one, 1), 2: compileGrants(two, 2) };
    const switches = off === undefined ? [] : [{ scope: off, reads: false }];
    const base = { agent: compiled, switches, inForce, releases };
    return rolling
      ? { ...base, rollout: { id: 'r', release: '2', salt, subject: 'subject', segments } }
      : base;
  });

/** The world with only one grant in force and no rollout. */
const alone = (one: Record<string, unknown>): World => ({
  agent: compiled,
  switches: [],
  inForce,
  releases: { 1: compileGrants([one], 1) },
});
const together = (list: readonly Record<string, unknown>[]): World => ({
  ...alone(list[0] ?? {}),
  releases: { 1: compileGrants(list, 1) },
});

function isWellFormed(decision: Decision): void {
  expect(STRICTNESS).toHaveProperty(decision.outcome);
  expect(SEGMENTS).toContain(decision.segment);
  expect(['control', 'candidate']).toContain(decision.arm);
  expect(decision.reasons.length).toBeGreaterThan(0);
  for (const { code, message } of decision.reasons) {
    expect(REASON_CODES).toContain(code);
    expect(message.length).toBeGreaterThan(3);
  }
  expect(decision.outcome === 'pending').toBe(decision.approval !== undefined);
}

describe('decide(), whatever is asked', () => {
  test('deny beats ask beats allow: a matching grant never gives less than it does alone', () => {
    const valid = fc.record({
      tool: fc.constant('cancel'),
      args: fc.record({ id: fc.constantFrom('a', 'b') }),
      attributes,
      claimed: fc.constant({}),
      subject,
    });
    const sound = grant.filter(
      (one) => one.when !== 'int(args.id) > 1' && (one.deny !== undefined || one.approval !== undefined),
    );
    fc.assert(
      fc.property(fc.array(sound, { minLength: 1, maxLength: 5 }), valid, (list, asked) => {
        const matching = list
          .map((one) => decide(asked, alone(one)))
          .filter(
            ({ reasons }) => reasons[0]?.code !== 'condition_not_met' && reasons[0]?.code !== 'no_grant',
          );
        const strictest = Math.max(...matching.map(({ outcome }) => STRICTNESS[outcome]));
        const whole = decide(asked, together(list));
        expect(STRICTNESS[whole.outcome]).toBe(matching.length === 0 ? STRICTNESS.denied : strictest);
        const quorums = matching.map((one) => quorumOf(one.approval));
        if (whole.outcome === 'pending') expect(quorumOf(whole.approval)).toBe(Math.max(...quorums));
      }),
      { numRuns: 500 },
    );
  });

  test('widening exposure never takes a subject out of the candidate', () => {
    fc.assert(
      fc.property(world, request, fc.integer({ min: 0, max: 10_000 }), (before, asked, more) => {
        fc.pre(before.rollout !== undefined);
        const rollout = before.rollout;
        if (!rollout || decide(asked, before).arm !== 'candidate') return;
        const wider = Object.fromEntries(
          Object.entries(rollout.segments).map(([name, at]) => [
            name,
            { ...at, exposure: Math.min(10_000, at.exposure + more) },
          ]),
        );
        expect(decide(asked, { ...before, rollout: { ...rollout, segments: wider } }).arm).toBe('candidate');
      }),
      { numRuns: 500 },
    );
  });

  test('the same input gives the same answer, and neither is changed', () => {
    fc.assert(
      fc.property(world, request, (given, asked) => {
        const before = structuredClone({ ...asked, claimed: {} });
        const first = decide(asked, given);
        expect(decide(asked, given)).toEqual(first);
        expect({ ...asked, claimed: {} }).toEqual(before);
        const copy: World = { ...given, agent: compiledAgain };
        expect(decide({ ...asked }, copy)).toEqual(first);
      }),
      { numRuns: 200 },
    );
  });

  test('a claim never makes the answer laxer, nor moves segment, arm or release', () => {
    fc.assert(
      fc.property(world, request, (given, asked) => {
        const without = decide({ ...asked, claimed: {} }, given);
        const told = decide(asked, given);
        expect(STRICTNESS[told.outcome]).toBeGreaterThanOrEqual(STRICTNESS[without.outcome]);
        const { segment, arm, release, bucket, generation } = told;
        expect({ segment, arm, release, bucket, generation }).toEqual({
          segment: without.segment,
          arm: without.arm,
          release: without.release,
          bucket: without.bucket,
          generation: without.generation,
        });
      }),
      { numRuns: 500 },
    );
  });

  test('no write passes a switch', () => {
    fc.assert(
      fc.property(world, request, (given, asked) => {
        const off: World = { ...given, switches: [{ scope: 'everything', reads: false }] };
        if (asked.tool !== 'lookup') expect(decide(asked, off).outcome).toBe('denied');
      }),
    );
  });
});

describe('decide() is total', () => {
  const throwing: unknown = new Proxy(
    {},
    {
      get: () => {
        throw new Error('trap');
      },
      ownKeys: () => {
        throw new Error('trap');
      },
      getOwnPropertyDescriptor: () => {
        throw new Error('trap');
      },
    },
  );
  const hostile = fc.oneof(
    fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withNullPrototype: true,
      withSparseArray: true,
      withTypedArray: true,
    }),
    fc.constant(throwing),
    fc.constantFrom<unknown>(Symbol('x'), '__proto__', 'constructor', Number.NaN, () => 'x', undefined, null),
  );
  const anything = fc.record({
    tool: fc.oneof(tool, hostile),
    args: hostile,
    attributes: fc.oneof(attributes, hostile),
    claimed: hostile,
    subject: hostile,
  });

  test('over requests of any shape', () => {
    fc.assert(
      fc.property(fc.oneof(anything, hostile), world, (asked, given) =>
        isWellFormed(decide(asked as DecisionRequest, given)),
      ),
      { numRuns: 1_000 },
    );
  });

  test('over well-formed requests', () => {
    fc.assert(fc.property(world, request, (given, asked) => isWellFormed(decide(asked, given))));
  });

  test('over cyclic and very deep arguments', () => {
    const cyclic: Record<string, unknown> = { id: 'a' };
    cyclic.self = cyclic;
    let deep: unknown = 'x';
    for (let at = 0; at < 50_000; at++) deep = [deep];
    for (const given of [cyclic, { id: 'a', deep }]) {
      const asked = {
        tool: 'cancel',
        args: given,
        attributes: { tier: 'gold', vip: true },
        claimed: {},
        subject: 's',
      };
      isWellFormed(decide(asked, together([{ tool: 'cancel', approval: 'none', when: 'args.id == "a"' }])));
    }
  });
});
