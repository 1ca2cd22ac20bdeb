import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Decision } from '../../../../src/domain/decision/decide.ts';
import { type Outcome, REASON_CODES } from '../../../../src/domain/decision.ts';
import type { ApprovalPolicy } from '../../../../src/domain/release.ts';
import {
  addDecided,
  LEFT_OUT,
  newReplay,
  type PastAction,
  type Replaying,
  WRONG_LISTED_MAX,
} from '../../../../src/domain/replay/replay.ts';
import { refusedSentence } from '../../../../src/domain/replay/words.ts';

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
  segment: 'gold',
  write: true,
  outcome: 'pending',
  reasons: ['approval_needed'],
  approval: policy('desk', 2),
  covered: false,
  judged: 'right',
  ...more,
});
const replaying: Replaying = {
  membersOf: (group: string) => ({ desk: ['ana', 'ben'], legal: ['eve'] })[group] ?? [],
  shown: () => 'cancel id=R-1',
};
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
        const replay = newReplay();
        for (const { before, after, codes, now, judged } of all) {
          const reasons = now.map((code) => ({ code, message: '' }));
          const action = past({ outcome: before, reasons: codes, judged });
          addDecided(replay, action, { outcome: after, reasons, approval: policy('desk') }, replaying);
        }
        const { decided, same, newlyAllowed, newlyAsked, newlyDenied, unasked } = replay;
        const sum = (counts: Record<string, number>) => Object.values(counts).reduce((a, b) => a + b, 0);
        expect(decided + sum(replay.leftOut)).toBe(all.length);
        expect(same + sum(newlyAllowed) + sum(newlyAsked) + sum(newlyDenied)).toBe(decided);
        expect([sum(replay.before), sum(replay.after)]).toEqual([decided, decided]);
        expect(unasked.right + unasked.unknown + unasked.wrong).toBe(newlyAllowed.asked);
        expect(unasked.examples.length).toBe(Math.min(unasked.wrong, WRONG_LISTED_MAX));
      }),
    );
  });

  test.each(LEFT_OUT.filter((code) => code !== 'erased' && code !== 'redacted'))(
    'leaves out what "%s" answered one time only',
    (code) => {
      const replay = newReplay();
      addDecided(replay, past({ outcome: 'denied', reasons: [code] }), allowed, replaying);
      addDecided(
        replay,
        past({ outcome: 'allowed', reasons: ['granted'] }),
        { outcome: 'denied', reasons: [{ code, message: '' }] },
        replaying,
      );
      expect(replay).toMatchObject({ decided: 0, leftOut: { [code]: 2 } });
      expect(replay.unasked).toMatchObject({ right: 0, unknown: 0, wrong: 0 });
    },
  );

  test('counts the load of each person once an action, and of nobody where a standing approval answered', () => {
    const replay = newReplay();
    const both = {
      ...policy('desk'),
      stages: [[{ group: 'desk', quorum: 1 }], [{ group: 'legal', quorum: 1 }]],
    };
    addDecided(replay, past(), { outcome: 'pending', reasons: [], approval: both }, replaying);
    addDecided(
      replay,
      past({ covered: true }),
      { outcome: 'pending', reasons: [], approval: both },
      replaying,
    );
    addDecided(replay, past(), allowed, replaying);
    expect(Object.fromEntries(replay.people)).toEqual({
      ana: { before: 2, after: 1 },
      ben: { before: 2, after: 1 },
      eve: { before: 0, after: 1 },
    });
    expect(replay.approvals).toEqual({ before: 4, after: 2 });
  });
});

describe('what people refused', () => {
  const refusedOf = (all: PastAction[], outcome: Outcome) => {
    const replay = newReplay();
    for (const one of all) addDecided(replay, one, { outcome, reasons: [] }, replaying);
    return replay;
  };

  test('stays refused of its time, whatever the release would answer', () => {
    const replay = refusedOf([past({ judged: 'denied' })], 'allowed');
    expect(replay.before).toEqual({ allowed: 0, pending: 1, denied: 0 });
    expect(replay.refused).toMatchObject({ writes: 1, unasked: 1 });
    const byPolicy = refusedOf([past({ outcome: 'denied', judged: 'denied', reasons: [] })], 'allowed');
    expect(byPolicy.before).toEqual({ allowed: 0, pending: 0, denied: 1 });
    expect(byPolicy.refused.writes).toBe(0);
  });

  test('in one sentence, with three examples at most and the count of the others', () => {
    const five = Array.from({ length: 5 }, (_, at) => past({ id: `a${at}`, judged: 'denied' }));
    const { refused } = refusedOf(five, 'allowed');
    expect(refusedSentence({ ...refused, writes: 412 }, 90)).toBe(
      'Of 412 writes that people refused in 90 days it would now allow 5 unasked: ' +
        'cancel in gold (a0): cancel id=R-1; cancel in gold (a1): cancel id=R-1; cancel in gold (a2): cancel id=R-1; and 2 more.',
    );
    expect(refusedSentence(refusedOf(five, 'pending').refused, 1)).toBe(
      'Of 5 writes that people refused in 1 day it would now allow none unasked.',
    );
    expect(refusedSentence(newReplay().refused, 7)).toContain('refused no write');
  });

  test('a condition that fails is a defect of the release and counted as one', () => {
    const replay = newReplay();
    const reasons = [{ code: 'condition_error' as const, message: '' }];
    addDecided(replay, past(), { outcome: 'denied', reasons }, replaying);
    expect(replay.erred).toEqual({ actions: 1, examples: [{ id: 'a', shown: 'cancel id=R-1' }] });
  });
});
