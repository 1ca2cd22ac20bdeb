import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import { decide, type RolloutWorld, type World } from '../../../../src/domain/decision/decide.ts';
import { type CompiledStanding, earnedKey } from '../../../../src/domain/decision/weigh.ts';
import { agentOf, releaseOf } from '../manifest/fixtures.ts';

const agent = agentOf({
  tools: {
    lookup: { kind: 'read' },
    cancel: {
      risk: 'low',
      args: { type: 'object', required: ['id'], properties: { id: { type: 'string' } } },
    },
    refund: { args: { type: 'object', properties: { amount: { type: 'integer' } } } },
  },
});
const limits = { perHour: 30, perDay: 100, window: 'clock' };
const UNASKED = [{ tool: 'lookup' }, { tool: 'cancel', approval: 'none', limits }];

/** Decides about a subject that is in the candidate, release 2, unless it says control. */
function ask(
  grants: readonly Record<string, unknown>[],
  rollout: Partial<RolloutWorld>,
  { tool = 'cancel', segment = {}, ...more }: { tool?: string; segment?: object } & Partial<World> = {},
) {
  const place = { exposure: 10_000, generation: 1, state: 'exposed' as const, ...segment };
  const world: World = {
    agent: compileAgent(agent),
    switches: [],
    inForce: { gold: '1', silver: '1', default: '1' },
    releases: {
      1: compileRelease(releaseOf(UNASKED), agent),
      2: compileRelease(releaseOf(grants, { release: 2 }), agent),
    },
    rollout: { id: 'r', release: '2', salt: 's', subject: 'subject', segments: { gold: place }, ...rollout },
    ...more,
  };
  const args = tool === 'cancel' ? { id: '1' } : {};
  const request = { tool, args, attributes: { tier: 'gold' }, claimed: {}, subject: 's' };
  return decide({ ...request, agentVersion: '1' }, world);
}
const step = (bounds: object) => ({ step: { index: 1, ...bounds } });
const asks = { ...step({ writes: 'ask' }), asks: 'desk' };

describe('where each write asks', () => {
  const rule = { group: 'desk', rules: [{ when: 'args.id == "1"', answer: 'approve' }] };
  const standing: CompiledStanding = {
    id: 'standing',
    ...{ tool: 'cancel', grant: 'cancel-1', release: '2', segment: 'gold', arm: 'candidate', generation: 1 },
    risk: 'high',
    matches: () => 'true',
  };
  const earned = new Set([earnedKey('2', 'cancel-1', 'cancel', 'gold', '1')]);
  const unless = { group: 'desk', unless: 'args.id == "1"' };

  test.each<[string, unknown, Partial<World>]>([
    ['a grant that asks nobody', 'none', {}],
    ['the condition under which it runs unasked', unless, {}],
    ['a rule that approves', rule, {}],
    ['a standing approval', 'desk', { standings: [standing] }],
    ['what it earned', 'desk', { earned }],
  ])('%s lets nothing run', (_, approval, relaxed) => {
    const grants = [{ tool: 'cancel', name: 'cancel-1', approval }];
    expect(ask(grants, step({ writes: 'as-granted' }), relaxed).outcome).toBe('allowed');
    // By the step of the rollout, and by the evidence of the segment.
    for (const answer of [
      ask(grants, asks, relaxed),
      ask(grants, { asks: 'desk' }, { ...relaxed, segment: { asks: true } }),
    ])
      expect(answer).toMatchObject({
        outcome: 'pending',
        approval: { stages: [[{ group: 'desk', quorum: 1 }]], standing: 'forbidden' },
      });
  });

  test('a grant that asks says whom, a rule denies all the same, and reads are as they are', () => {
    const two = { groups: { desk: 2 } };
    expect(ask([{ tool: 'cancel', approval: two }], { ...asks, asks: 'others' })).toMatchObject({
      approval: { stages: [[{ group: 'desk', quorum: 2 }]] },
    });
    const never = { group: 'desk', rules: [{ when: 'args.id == "1"', answer: 'deny' }] };
    expect(ask([{ tool: 'cancel', approval: never }], asks).outcome).toBe('denied');
    expect(ask(UNASKED, asks, { tool: 'lookup' }).outcome).toBe('allowed');
  });

  test('nobody to ask is no', () => {
    expect(ask(UNASKED, step({ writes: 'ask' }))).toMatchObject({
      outcome: 'denied',
      reasons: [{ code: 'not_in_step' }],
    });
  });

  test('what is in force is granted as it is', () => {
    const control = ask(UNASKED, asks, { segment: { exposure: 0, asks: true } });
    expect(control).toMatchObject({ outcome: 'allowed', arm: 'control', release: '1' });
  });
});

describe('a step that names tools', () => {
  test('holds back the others of the candidate, and says until when', () => {
    const rollout = step({ writes: 'as-granted', tools: ['lookup'] });
    expect(ask(UNASKED, rollout, { tool: 'lookup' }).outcome).toBe('allowed');
    expect(ask(UNASKED, rollout)).toMatchObject({
      outcome: 'denied',
      reasons: [
        {
          code: 'not_in_step',
          message: 'Release "2" does not grant "cancel" yet: step 2 of rollout r holds it back',
        },
      ],
    });
    expect(ask(UNASKED, rollout, { segment: { exposure: 0 } }).outcome).toBe('allowed');
  });
});

describe('a step with limits', () => {
  test('lowers those of a grant, never raises them', () => {
    const limited = (own: object | undefined, ofStep: object) =>
      ask(
        [{ tool: 'cancel', approval: 'none', ...(own && { limits: own }) }],
        step({ writes: 'as-granted', limits: ofStep }),
      ).grant?.limits;
    expect(limited(limits, { perHour: 10, perDay: 500 })).toEqual({
      perHour: 10,
      perDay: 100,
      window: 'clock',
    });
    expect(limited(undefined, { perDay: 5 })).toEqual({ perDay: 5 });
    expect(limited({ perHour: 2 }, { perHour: 3 })).toEqual({ perHour: 2 });
  });
});
