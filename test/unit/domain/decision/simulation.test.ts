import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../../src/domain/decision/decide.ts';
import {
  addDecided,
  LEFT_OUT,
  newSimulation,
  type PastAction,
  WRONG_LISTED_MAX,
} from '../../../../src/domain/decision/simulation.ts';
import { type Outcome, REASON_CODES } from '../../../../src/domain/decision.ts';
import type { ApprovalPolicy } from '../../../../src/domain/release.ts';

const policy = (group: string, quorum = 1): ApprovalPolicy => ({
  stages: [[{ group, quorum }]],
  expiresIn: '1h',
  reason: 'optional',
  slackApproves: 'any',
  notify: 'channel',
  escalate: [],
  standing: 'allowed',
});
const past = (more: Partial<PastAction> = {}): PastAction => ({
  id: 'a',
  tool: 'cancel',
  outcome: 'pending',
  reasons: ['approval_needed'],
  approval: policy('desk', 2),
  covered: false,
  judged: 'right',
  ...more,
});
const membersOf = (group: string) => ({ desk: ['ana', 'ben'], legal: ['eve'] })[group] ?? [];
const allowed: Pick<Decision, 'outcome' | 'reasons'> = { outcome: 'allowed', reasons: [] };

describe('addDecided()', () => {
  test('adds up, whatever comes: decided and left out are all, and nothing is counted twice', () => {
    const outcome = fc.constantFrom<Outcome>('allowed', 'pending', 'denied');
    const one = fc.record({
      before: outcome,
      after: outcome,
      codes: fc.array(fc.constantFrom(...REASON_CODES), { maxLength: 2 }),
      now: fc.array(fc.constantFrom(...REASON_CODES), { maxLength: 2 }),
      judged: fc.constantFrom<PastAction['judged']>('right', 'denied', 'edited', 'corrected', 'unknown'),
    });
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), (all) => {
        const simulation = newSimulation();
        for (const { before, after, codes, now, judged } of all) {
          const reasons = now.map((code) => ({ code, message: '' }));
          const action = past({ outcome: before, reasons: codes, judged });
          addDecided(simulation, action, { outcome: after, reasons, approval: policy('desk') }, membersOf);
        }
        const { decided, same, newlyAllowed, newlyAsked, newlyDenied, unasked } = simulation;
        const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
        expect(decided + sum(simulation.leftOut)).toBe(all.length);
        expect(same + sum(newlyAllowed) + sum(newlyAsked) + sum(newlyDenied)).toBe(decided);
        expect([sum(simulation.before), sum(simulation.after)]).toEqual([decided, decided]);
        expect(unasked.right + unasked.unknown + unasked.wrong).toBe(newlyAllowed.asked);
        expect(unasked.examples.length).toBe(Math.min(unasked.wrong, WRONG_LISTED_MAX));
      }),
    );
  });

  test.each(LEFT_OUT.filter((code) => code !== 'erased'))(
    'leaves out what "%s" answered one time only',
    (code) => {
      const simulation = newSimulation();
      addDecided(simulation, past({ outcome: 'denied', reasons: [code] }), allowed, membersOf);
      addDecided(
        simulation,
        past({ outcome: 'allowed', reasons: ['granted'] }),
        { outcome: 'denied', reasons: [{ code, message: '' }] },
        membersOf,
      );
      expect(simulation).toMatchObject({ decided: 0, leftOut: { [code]: 2 } });
      expect(simulation.unasked).toMatchObject({ right: 0, unknown: 0, wrong: 0 });
    },
  );

  test('counts the load of each person once an action, and of nobody where a standing approval answered', () => {
    const simulation = newSimulation();
    const both = {
      ...policy('desk'),
      stages: [[{ group: 'desk', quorum: 1 }], [{ group: 'legal', quorum: 1 }]],
    };
    addDecided(simulation, past(), { outcome: 'pending', reasons: [], approval: both }, membersOf);
    addDecided(
      simulation,
      past({ covered: true }),
      { outcome: 'pending', reasons: [], approval: both },
      membersOf,
    );
    addDecided(simulation, past(), allowed, membersOf);
    expect(Object.fromEntries(simulation.people)).toEqual({
      ana: { before: 2, after: 1 },
      ben: { before: 2, after: 1 },
      eve: { before: 0, after: 1 },
    });
    expect(simulation.approvals).toEqual({ before: 4, after: 2 });
  });
});
