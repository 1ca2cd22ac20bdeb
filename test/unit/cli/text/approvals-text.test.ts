import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { actionText } from '../../../../src/cli/text/action-text.ts';
import { answersText, preflightText, queueText } from '../../../../src/cli/text/approvals-text.ts';
import { displayWidth, plain } from '../../../../src/cli/text/render.ts';
import { replayText } from '../../../../src/cli/text/replay-text.ts';
import { statsText } from '../../../../src/cli/text/stats-text.ts';
import type { WireAction, WireReplay, WireStats } from '../../../../src/cli/wire.ts';
import { newReplay } from '../../../../src/domain/replay/replay.ts';

const NOW = new Date('2026-01-01T00:00:00Z');
const ID = '6f1d6f0e-0c3c-4f0b-9d4e-2f7a1c1f0b11';
const SHORT = ID.slice(0, 8);
const wide = (text: string): string[] => text.split('\n').filter((line) => displayWidth(line) > 80);

const action = (more: Partial<WireAction> = {}): WireAction =>
  ({
    id: ID,
    agent: 'desk',
    agentVersion: '1',
    tool: 'cancel',
    kind: 'write',
    summary: 'Cancel order R-1',
    state: 'pending',
    risk: 'high',
    segment: 'gold',
    args: { id: 'R-1' },
    argsDigest: 'd',
    behind: [],
    strangers: [],
    links: [],
    reasons: [],
    decisions: [],
    edits: [],
    askedBy: 'agent',
    askedAt: '2025-12-31T23:57:00Z',
    expiresAt: '2026-01-01T01:00:00Z',
    approval: { group: '2 of desk, then 1 of legal', stages: [[], []], stage: 1 },
    ...more,
  }) as unknown as WireAction;

const stats = (more: Partial<WireStats> = {}): WireStats => ({
  since: '2025-12-25T00:00:00Z',
  days: 7,
  dayMs: 86_400_000,
  asked: { asked: 0, approved: 0, denied: 0, edited: 0, expired: 0, unanswered: 0, stopped: 0, waiting: 0 },
  answers: { answered: 0, approved: 0, denied: 0, asDeputy: 0, hasty: { part: 0, of: 0 } },
  people: [],
  tools: [],
  breakGlass: { count: 0, reviewed: 0, unjustified: 0 },
  standing: { started: 0, used: 0 },
  gating: {
    right: { count: 0, totalMs: 0 },
    stopped: [],
    wronglyStopped: { count: 0, totalMs: 0, byPeople: 0, byPolicy: 0, expired: 0 },
  },
  ...more,
});

const replayed = (more: Partial<WireReplay> = {}): WireReplay => {
  const { people: _, parts: __, ...counted } = newReplay();
  const period = {
    since: '2025-10-03T00:00:00Z',
    until: '2026-01-01T00:00:00Z',
    days: 90,
    dayMs: 86_400_000,
  };
  const about = {
    agent: 'desk',
    release: '2',
    releaseDigest: 'd',
    ...period,
    digest: 'e',
    sentence: '',
    parts: [],
  };
  return { ...counted, ...about, most: 50_000, cut: false, weekly: [], ...more };
};

describe('what waits', () => {
  test('names the action, whom it asks, its age and its end', () => {
    const text = queueText([action()], NOW, 80);
    expect(text).toContain(SHORT);
    expect(text.replace(/\s+/g, ' ')).toContain('asked 3 min ago');
    expect(text.replace(/\s+/g, ' ')).toContain('expires in 1 h');
    expect(text).toContain('2 of desk');
  });

  test('side by side: every argument in full, in 80 columns, and nothing steers the terminal', () => {
    const words = fc.string({ unit: 'grapheme', maxLength: 300 });
    fc.assert(
      fc.property(words, words, (summary, note) => {
        const text = preflightText([action({ summary, args: { note } }), action()], NOW, 80);
        expect(wide(text)).toEqual([]);
        expect(plain(text)).toBe(text);
      }),
    );
    const long = 'a1b2'.repeat(500);
    expect(preflightText([action({ args: { long } })], NOW, 80).replace(/\s/g, '')).toContain(long);
  });

  test('side by side: one that no longer waits says so, an erased one too', () => {
    const text = preflightText([action({ state: 'denied', args: undefined })], NOW, 80);
    expect(text).toContain('DENIED');
    expect(text).toContain('arguments erased');
  });

  test('what else an approval would approve is said before it is given', () => {
    const standingWish = { envelope: 'args.amount <= 50', maxUses: 5, forMs: 3_600_000, by: 'ana' };
    for (const text of [
      preflightText([action({ standingWish })], NOW, 80),
      actionText(action({ standingWish }), NOW, 80),
    ])
      expect(text.replace(/\s+/g, ' ')).toContain(
        'STANDING: approving it also approves up to 5 like it for 1 h, as ana wished: args.amount <= 50',
      );
  });

  test('several answers: what failed cannot be overlooked', () => {
    const text = answersText(
      [
        { id: ID, counted: true, state: 'pending' },
        { id: ID, code: 'seen_outdated', message: 'Cannot approve: the action changed since it was shown' },
      ],
      'approve',
      80,
    );
    expect(text).toContain('waits for more people');
    expect(text).toContain('NOT approved');
    expect(text.replace(/\s+/g, ' ')).toContain('1 of 2 were not approved');
    expect(wide(text)).toEqual([]);
  });
});

describe('one action', () => {
  test('shows stage, edits, deputies, broken glass and who called it right afterwards', () => {
    const text = actionText(
      action({
        state: 'denied',
        edits: [{ person: 'ben', at: '', via: 'web', round: 1, digestBefore: '' }],
        decisions: [{ person: 'dave', for: 'ana', verdict: 'deny', at: '', via: 'cli', round: 1, stage: 0 }],
        breakGlass: { reviewed: { person: 'eve', at: '', justified: false, note: 'a drill' } },
        correction: { person: 'olga', at: '', reason: 'It was fine' },
      }),
      NOW,
      80,
    ).replace(/\s+/g, ' ');
    for (const part of [
      '2 of desk, then 1 of legal (stage 2 of 2 is open)',
      'ben changed the arguments by web',
      'dave for ana: deny by cli',
      'one person broke the glass; NOT justified, says eve: a drill',
      'Was right olga: It was fine',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain('Wrong');
  });
});

describe('statistics', () => {
  test('say in words that there is nothing, and that a day is not a day', () => {
    expect(statsText(stats(), 80)).toContain('Nobody was asked anything.');
    expect(statsText(stats({ dayMs: 1_300 }), 80)).toContain('PORTCULLIS_DAY');
  });

  test('never round a share up to all or down to none, and say where no time is known', () => {
    const people = [
      {
        person: 'ana',
        asked: 1_000,
        edited: 0,
        answered: 1_000,
        approved: 1_000,
        denied: 0,
        asDeputy: 0,
        hasty: { part: 999, of: 1_000 },
      },
    ];
    const text = statsText(
      stats({ people, answers: { ...stats().answers, hasty: { part: 1, of: 1_000 } } }),
      80,
    );
    expect(text).toContain('999 of 1000 (99 %)');
    expect(text).toContain('1 of 1000 (1 %)');
    expect(text.replace(/\s+/g, ' ')).toContain('not known: nobody answered on a surface');
    expect(wide(text)).toEqual([]);
  });

  test('fit 80 columns whatever people, tools and agents are called', () => {
    const name = 'a-rather-long-name-of-somebody-or-something-in-this-installation';
    const counts = { asked: 99_999, approved: 99_999, denied: 99_999, edited: 99_999 };
    const ended = { expired: 99_999, unanswered: 9, stopped: 9, waiting: 9 };
    const hasty = { part: 12_345, of: 99_999 };
    const answers = { answered: 9, asDeputy: 9, medianMs: 3_723_000, p95Ms: 90_000_000, hasty };
    const text = statsText(
      stats({
        asked: { ...counts, ...ended },
        answers: { ...answers, approved: 1, denied: 1 },
        people: [{ person: name, ...counts, ...answers }],
        tools: [{ agent: name, tool: name, risk: 'medium', ...counts, ...ended, medianWaitMs: 1e9 }],
        gating: {
          right: { count: 9, medianMs: 1, totalMs: 1e10 },
          stopped: [{ state: 'superseded', approved: 3, count: 9, medianMs: 1e7, totalMs: 1e9 }],
          wronglyStopped: { count: 3, medianMs: 1e7, totalMs: 1e9, byPeople: 1, byPolicy: 1, expired: 1 },
        },
      }),
      80,
    );
    expect(wide(text)).toEqual([]);
    expect(text.replace(/\s+/g, '')).toContain(name);
  });
});

describe('replay', () => {
  test('of nothing says nothing, neither good nor bad', () => {
    const leftOut = { ...newReplay().leftOut, erased: 7 };
    const text = replayText(replayed({ leftOut }), 80);
    expect(text).toContain('this says nothing, neither good nor bad');
    expect(text).toContain('7: their arguments or subject are erased');
  });

  test('names what would have run unasked, how many more there are, and that it was cut', () => {
    const examples = [{ id: ID, tool: 'cancel', because: 'edited' as const }];
    const text = replayText(
      replayed({
        decided: 50,
        same: 10,
        cut: true,
        newlyAllowed: { asked: 40, denied: 0 },
        unasked: { right: 10, unknown: 5, wrong: 25, examples },
        weekly: [{ person: 'ana', before: 12.3456, after: 0 }],
      }),
      80,
    );
    expect(text).toContain('CUT: at most 50000 are looked at');
    expect(text).toContain(`${SHORT}  cancel  edited`);
    expect(text).toContain('and 24 more');
    expect(text.replace(/\s+/g, ' ')).toContain(
      'people approved 10 as they were, 5 nobody judged, and 25 were',
    );
    expect(text).toContain('12.3');
    expect(wide(text)).toEqual([]);
  });
});
