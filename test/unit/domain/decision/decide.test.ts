import { describe, expect, test } from 'vitest';
import { compileAgent, compileRelease } from '../../../../src/domain/decision/compile.ts';
import type { World } from '../../../../src/domain/decision/decide.ts';
import type { SegmentExposure } from '../../../../src/domain/decision.ts';
import { releaseOf } from '../manifest/fixtures.ts';
import { agent, ask, codes, lenient, worldOf } from './worlds.ts';

describe('decide()', () => {
  test('allows what a grant allows, names the grant and the release', () => {
    const decision = ask({}, lenient);
    expect(decision).toMatchObject({ outcome: 'allowed', segment: 'gold', arm: 'control', release: '1' });
    expect(decision.grant).toMatchObject({ name: 'cancel-2', tool: 'cancel' });
    expect(codes(decision)).toEqual(['granted']);
  });

  test('asks the group that the grant names', () => {
    const decision = ask({ tool: 'refund', args: { amount: 1 } }, lenient);
    expect(decision).toMatchObject({
      outcome: 'pending',
      approval: { stages: [[{ group: 'desk', quorum: 1 }]], expiresIn: '1h' },
    });
  });

  test('denies what nothing grants', () => {
    expect(codes(ask({}, worldOf([{ tool: 'lookup' }])))).toEqual(['no_grant']);
  });

  test('denies a tool that is not declared and names the nearest', () => {
    expect(ask({ tool: 'cancle' }, lenient)).toMatchObject({
      outcome: 'denied',
      reasons: [{ code: 'unknown_tool', hint: 'Did you mean "cancel"?' }],
    });
    expect(codes(ask({ tool: 'constructor' }, lenient))).toEqual(['unknown_tool']);
  });

  test('denies arguments that do not fit, without repeating them', () => {
    const decision = ask({ args: { id: 4111_1111 } }, lenient);
    expect(codes(decision)).toEqual(['args_invalid']);
    expect(JSON.stringify(decision)).not.toContain('41111111');
  });

  test('says what a condition needs when none matches', () => {
    const decision = ask({}, worldOf([{ tool: 'cancel', approval: 'none', when: 'args.id == "b"' }]));
    expect(decision.reasons).toMatchObject([
      { code: 'condition_not_met', hint: '"cancel-1" needs args.id == "b"' },
    ]);
  });

  test('denies when a condition errs, even if another grant would allow', () => {
    const world = worldOf([
      { tool: 'cancel', approval: 'none' },
      { tool: 'cancel', approval: 'desk', when: 'int(args.id) > 1' },
    ]);
    expect(codes(ask({}, world))).toEqual(['condition_error']);
  });

  test('denies a write whose grant names no approval policy', () => {
    expect(ask({}, worldOf([{ tool: 'cancel' }])).outcome).toBe('denied');
  });

  test('a deny beats an ask beats an allow, whatever their order', () => {
    const [allow, asks, deny] = [
      { tool: 'cancel', approval: 'none' },
      { tool: 'cancel', approval: 'desk' },
      { tool: 'cancel', deny: 'Not on Sundays' },
    ];
    expect(ask({}, worldOf([allow, asks])).outcome).toBe('pending');
    const decision = ask({}, worldOf([allow, deny, asks]));
    expect(decision).toMatchObject({
      outcome: 'denied',
      reasons: [{ code: 'denied_by_grant', message: 'Not on Sundays' }],
    });
  });

  test('among asks the highest quorum wins', () => {
    const grants = [1, 2, 1].map((quorum) => ({ tool: 'cancel', approval: { group: 'desk', quorum } }));
    expect(ask({}, worldOf(grants))).toMatchObject({
      approval: { stages: [[{ group: 'desk', quorum: 2 }]] },
      grant: { name: 'cancel-2' },
    });
  });

  test('denies without a release in force', () => {
    expect(codes(ask({}, worldOf([{ tool: 'lookup' }], { inForce: {} })))).toEqual(['no_release']);
    expect(codes(ask({}, worldOf([{ tool: 'lookup' }], { inForce: { gold: 'toString' } })))).toEqual([
      'no_release',
    ]);
  });
});

describe('decide() under a switch', () => {
  const off = (scope: string, reads = false): World => ({ ...lenient, switches: [{ scope, reads }] });
  const lookup = { tool: 'lookup', args: {} };

  test.each(['everything', 'agent/desk', 'tool/desk/cancel'])(
    '%s stops a write and keeps its segment',
    (scope) => {
      expect(ask({}, off(scope))).toMatchObject({
        outcome: 'denied',
        segment: 'gold',
        reasons: [{ code: 'switched_off' }],
      });
    },
  );

  test.each(['agent/other', 'tool/desk/refund', 'tool/other/cancel'])('%s does not', (scope) => {
    expect(ask({}, off(scope)).outcome).toBe('allowed');
  });

  test('reads stop only when the switch says so', () => {
    expect(ask(lookup, off('everything')).outcome).toBe('allowed');
    expect(ask(lookup, off('everything', true)).outcome).toBe('denied');
  });

  test('a switch comes before every other reason', () => {
    expect(codes(ask({ attributes: {}, args: { id: 1 } }, off('everything')))).toEqual(['switched_off']);
  });
});

describe('decide() and attributes', () => {
  test.each([
    [{}],
    [{ tier: 3 }],
    [{ tier: null }],
    [Object.create({ tier: 'gold' }) as Record<string, unknown>],
  ])('denies when a declared attribute is missing or of another type: %j', (attributes) =>
    expect(codes(ask({ attributes }, lenient))).toEqual(['attribute_missing']),
  );

  test('what matches no segment falls in default, which counts as much as any', () => {
    expect(compileAgent(agent).segments.map(({ name, representative }) => [name, representative])).toEqual([
      ['gold', true],
      ['silver', false],
      ['default', true],
    ]);
    expect(ask({ attributes: { tier: 'bronze' } }, lenient).segment).toBe('default');
  });

  test('a claim can make the answer stricter, and segment and release stay those of the trusted attributes', () => {
    const world = worldOf([
      { tool: 'cancel', approval: 'none' },
      { tool: 'cancel', approval: 'desk', when: 'context.tier == "silver"' },
    ]);
    const decision = ask({ claimed: { tier: 'silver' } }, world);
    expect(decision).toMatchObject({
      outcome: 'pending',
      segment: 'gold',
      release: '1',
      approval: { stages: [[{ group: 'desk', quorum: 1 }]] },
    });
    expect(codes(decision)).toEqual(['claim_stricter', 'approval_needed']);
    expect(decision.grant?.name).toBe('cancel-1');
  });

  test('a claim cannot make it laxer, nor does an undeclared one count', () => {
    const world = worldOf([{ tool: 'cancel', approval: 'none', when: 'context.tier == "silver"' }]);
    expect(codes(ask({ claimed: { tier: 'silver' } }, world))).toEqual(['condition_not_met']);
    expect(codes(ask({ claimed: { admin: true } }, lenient))).toEqual(['granted']);
  });

  test('a claim that asks for more people than the trusted answer counts, and takes nothing back', () => {
    const strict = { group: 'desk', reason: 'required', slackApproves: 'none', standing: 'forbidden' };
    const world = worldOf([
      { tool: 'cancel', approval: strict, when: 'context.tier == "gold"' },
      { tool: 'cancel', approval: { group: 'desk', quorum: 2 }, when: 'context.tier == "silver"' },
    ]);
    expect(ask({ claimed: { tier: 'silver' } }, world)).toMatchObject({
      outcome: 'pending',
      approval: {
        stages: [[{ group: 'desk', quorum: 2 }]],
        reason: 'required',
        slackApproves: 'none',
        standing: 'forbidden',
      },
    });
    const fewer = worldOf([
      { tool: 'cancel', approval: { group: 'desk', quorum: 2 }, when: 'context.tier == "gold"' },
      { tool: 'cancel', approval: strict, when: 'context.tier == "silver"' },
    ]);
    expect(ask({ claimed: { tier: 'silver' } }, fewer)).toMatchObject({
      outcome: 'pending',
      approval: { stages: [[{ group: 'desk', quorum: 2 }]], slackApproves: 'none' },
    });
  });
});

describe('decide() in a rollout', () => {
  const releases = {
    1: compileRelease(releaseOf([{ tool: 'cancel', approval: 'desk' }]), agent),
    2: compileRelease(releaseOf([{ tool: 'refund', approval: 'none' }], { release: 2 }), agent),
  };
  const at = (gold: Partial<SegmentExposure>): World => {
    const segments = { gold: { exposure: 10_000, generation: 3, state: 'exposed' as const, ...gold } };
    return worldOf([{ tool: 'lookup' }], {
      releases,
      rollout: { id: 'r-1', release: '2', salt: 'salt', subject: 'subject', segments },
    });
  };

  test('the candidate grants by its own release alone', () => {
    expect(ask({}, at({}))).toMatchObject({
      outcome: 'denied',
      arm: 'candidate',
      release: '2',
      reasons: [{ code: 'no_grant' }],
    });
    expect(ask({ tool: 'refund', args: { amount: 1 } }, at({}))).toMatchObject({
      outcome: 'allowed',
      rolloutId: 'r-1',
      generation: 3,
    });
  });

  test.each(['waiting', 'rolled_back', 'excluded'] as const)(
    'a %s segment is control, whatever its exposure',
    (state) => {
      const decision = ask({}, at({ state }));
      expect(decision).toMatchObject({ arm: 'control', release: '1', outcome: 'pending', rolloutId: 'r-1' });
      expect(decision.bucket).toBeGreaterThanOrEqual(0);
    },
  );

  test('a segment the rollout does not know is control and outside it', () => {
    const decision = ask({ attributes: { tier: 'silver' } }, at({}));
    expect(decision).toMatchObject({ arm: 'control', release: '1' });
    expect(decision.rolloutId).toBeUndefined();
  });

  test('the bucket decides between the arms', () => {
    const { bucket = -1 } = ask({}, at({}));
    expect(ask({}, at({ exposure: bucket })).arm).toBe('control');
    expect(ask({}, at({ exposure: bucket + 1 })).arm).toBe('candidate');
  });
});
