import { describe, expect, test } from 'vitest';
import type { AskedAction, Eligibility, Route } from '../../../../src/domain/approval/approval.ts';
import {
  type Candidate,
  candidatesOf,
  escalationsDue,
  isRoutedTo,
  nextInChain,
  outOfHoursGroups,
  type Presence,
  reachabilityOf,
} from '../../../../src/domain/approval/reach.ts';
import { agentFrom } from '../../../support/fixtures.ts';

const OFFICE = 'hours: { days: [mon, tue, wed, thu, fri], from: "08:00", to: "18:00", timezone: UTC }';
const AGENT = agentFrom(`agent: desk
people: { olga: {}, ana: {}, ben: {}, cleo: {}, mia: {} }
owners: [olga]
approvers:
  desk: { people: [ana, ben], ${OFFICE}, outOfHours: night }
  legal: [ben, cleo]
  night: [mia]
  leads: [cleo]
tools: { cancel: { kind: write } }
`);
const MONDAY_NOON = Date.parse('2026-03-02T12:00:00Z');
const MONDAY_NIGHT = Date.parse('2026-03-02T22:00:00Z');

const eligibility: Eligibility = {
  agent: AGENT,
  members: [
    { group: 'desk', person: 'ana' },
    { group: 'desk', person: 'ben' },
    { group: 'legal', person: 'ben' },
    { group: 'legal', person: 'cleo' },
    { group: 'night', person: 'mia' },
    { group: 'leads', person: 'cleo' },
  ],
  stale: [],
  deputies: [],
  editors: [],
};

const asking = (needs: Record<string, number>, more: Partial<AskedAction> = {}): AskedAction => ({
  approval: {
    stages: [Object.entries(needs).map(([group, quorum]) => ({ group, quorum }))],
    expiresIn: '4h',
    reason: 'optional',
    slackApproves: 'any',
    notify: 'channel',
    escalate: [
      { after: '10m', to: 'leads' },
      { after: '1h', to: 'night' },
    ],
    standing: 'allowed',
  },
  stage: 0,
  routed: [],
  behind: [],
  asked_by: 'agent',
  risk: 'medium',
  ...more,
});
const route = (group: string, stage = 0): Route => ({ group, stage, because: 'unreached', at: '' });

function reach(
  action: AskedAction,
  {
    atMs = MONDAY_NOON,
    presence = {},
    given = [],
  }: {
    atMs?: number;
    presence?: Record<string, Presence>;
    given?: Candidate[];
  } = {},
) {
  const answered = given.map(({ person }) => person);
  const candidates = candidatesOf(eligibility, action, answered, atMs).map((one) => ({
    ...one,
    presence: presence[one.person] ?? 'active',
  }));
  return reachabilityOf(action, candidates, given);
}

const people = (list: readonly Candidate[]) => list.map(({ person }) => person);

describe('reachabilityOf()', () => {
  test('counts those who are there in their hours; an unknown is not taken for gone', () => {
    expect(reach(asking({ desk: 1 }))).toMatchObject({ now: 'enough', possible: true });
    const away = reach(asking({ desk: 1 }), { presence: { ana: 'inactive', ben: 'unknown' } });
    expect([away.now, people(away.reachable)]).toEqual(['enough', ['ben']]);
  });

  test('tells nobody from too few, and too few now from too few at all', () => {
    expect(reach(asking({ desk: 1 }), { atMs: MONDAY_NIGHT })).toMatchObject({
      now: 'nobody',
      possible: true,
    });
    expect(reach(asking({ desk: 2 }), { presence: { ben: 'inactive' } })).toMatchObject({
      now: 'few',
      possible: false,
    });
    const withoutBen = { atMs: MONDAY_NIGHT, presence: { ben: 'inactive' } as const };
    expect(reach(asking({ desk: 1, legal: 1 }), withoutBen)).toMatchObject({ now: 'few', possible: true });
  });

  test('one person fills one place, also one who is in both groups', () => {
    const presence = { ana: 'inactive', cleo: 'inactive' } as const;
    expect(reach(asking({ desk: 1, legal: 1 }), { presence })).toMatchObject({ now: 'few', possible: false });
  });

  test('what was given already counts, and whoever gave it is not asked again', () => {
    const action = asking({ desk: 2 });
    const [ana] = reach(action).candidates;
    if (!ana) throw new Error('nobody');
    const after = reach(action, { given: [ana], presence: { ben: 'active' } });
    expect([after.now, people(after.candidates)]).toEqual(['enough', ['ben']]);
  });

  test('who has no account may answer and cannot be told', () => {
    const alone = reach(asking({ desk: 1 }), { presence: { ana: 'no_account', ben: 'inactive' } });
    expect(alone).toMatchObject({ now: 'nobody', possible: true });
    const both = reach(asking({ desk: 2 }), { presence: { ana: 'no_account' } });
    expect([both.now, people(both.reachable)]).toEqual(['enough', ['ben']]);
  });

  test('somebody and their deputy have one voice', () => {
    const lent: Eligibility = {
      ...eligibility,
      members: [{ group: 'desk', person: 'ana' }],
      deputies: [{ id: 'd', from: 'ana', to: 'mia', group: null }],
    };
    const action = asking({ desk: 2 });
    const candidates = candidatesOf(lent, action, [], MONDAY_NOON).map((one) => ({
      ...one,
      presence: 'active' as const,
    }));
    expect(people(candidates)).toEqual(['ana', 'mia']);
    expect(reachabilityOf(action, candidates, [])).toMatchObject({ now: 'few', possible: false });
  });

  test('says when the first of somebody’s groups opens', () => {
    const { candidates } = reach(asking({ desk: 1, legal: 1 }), { atMs: MONDAY_NIGHT });
    const opens = Object.fromEntries(candidates.map(({ person, opensAtMs }) => [person, opensAtMs]));
    expect(opens).toEqual({ ana: Date.parse('2026-03-03T08:00:00Z'), ben: undefined, cleo: undefined });
  });
});

describe('whom to ask as well', () => {
  test('the group for other hours, while the one that is asked is closed, once', () => {
    expect(outOfHoursGroups(AGENT, asking({ desk: 1 }), MONDAY_NOON)).toEqual([]);
    expect(outOfHoursGroups(AGENT, asking({ desk: 1 }), MONDAY_NIGHT)).toEqual(['night']);
    const asked = asking({ desk: 1 }, { routed: [route('night')] });
    expect(outOfHoursGroups(AGENT, asked, MONDAY_NIGHT)).toEqual([]);
  });

  test('the chain goes on behind whoever is asked already, in this stage', () => {
    expect(nextInChain(asking({ desk: 1 }))).toBe('leads');
    expect(nextInChain(asking({ desk: 1 }, { routed: [route('leads')] }))).toBe('night');
    expect(nextInChain(asking({ desk: 1 }, { routed: [route('leads', 1)] }))).toBe('leads');
    expect(nextInChain(asking({ desk: 1 }, { routed: [route('leads'), route('night')] }))).toBeUndefined();
  });

  test('each step of the chain has its time from when the stage opened', () => {
    const due = (minutes: number, action = asking({ desk: 1 })) =>
      escalationsDue(action, MONDAY_NOON, MONDAY_NOON + minutes * 60_000, 86_400_000);
    expect(due(9)).toEqual({ due: [], nextAtMs: MONDAY_NOON + 600_000 });
    expect(due(10)).toEqual({ due: ['leads'], nextAtMs: MONDAY_NOON + 3_600_000 });
    expect(due(60)).toEqual({ due: ['leads', 'night'], nextAtMs: undefined });
    expect(due(60, asking({ desk: 1 }, { routed: [route('leads')] }))).toEqual({
      due: ['night'],
      nextAtMs: undefined,
    });
  });

  test('who answers only by escalation is told so', () => {
    const action = asking({ desk: 1 }, { routed: [route('leads')] });
    const { candidates } = reach(action);
    expect(candidates.filter((one) => isRoutedTo(one, action)).map(({ person }) => person)).toEqual(['cleo']);
  });
});
