import { describe, expect, test } from 'vitest';
import {
  type AskedAction,
  approversOf,
  conflictOf,
  type Eligibility,
  mayDeny,
  rightToApprove,
  rightToBreakGlass,
  slackMayApprove,
  tallyStage,
} from '../../../../src/domain/approval/approval.ts';
import { approvalOf } from '../../../../src/domain/release.ts';
import { verifies } from '../../../requirements.ts';
import { agentOf } from '../manifest/fixtures.ts';

const agent = (more: Record<string, unknown> = {}) =>
  agentOf({
    people: Object.fromEntries(
      ['olga', 'dora', 'ana', 'ben', 'cleo', 'dave', 'eve'].map((name) => [name, {}]),
    ),
    owners: ['olga'],
    deployers: ['dora'],
    approvers: { desk: ['ana', 'ben'], legal: ['cleo'], leads: ['dave'], glass: ['eve'] },
    ...more,
  });

const world = (more: Partial<Eligibility> = {}): Eligibility => ({
  agent: agent(),
  members: [
    { group: 'desk', person: 'olga' },
    { group: 'desk', person: 'dora' },
    { group: 'desk', person: 'ana' },
    { group: 'desk', person: 'ben' },
    { group: 'legal', person: 'cleo' },
    { group: 'leads', person: 'dave' },
    { group: 'glass', person: 'eve' },
  ],
  stale: [],
  deputies: [],
  editors: [],
  ...more,
});

/** First the desk, then legal; "glass" may break it. */
const action = (more: Partial<AskedAction> = {}): AskedAction => ({
  approval:
    approvalOf({
      approval: { stages: [{ group: 'desk' }, { group: 'legal' }], breakGlass: 'glass' },
    } as Parameters<typeof approvalOf>[0]) ?? null,
  stage: 0,
  routed: [],
  behind: [],
  asked_by: 'agent-token',
  risk: 'low',
  ...more,
});

type Answered = { right: { for: string } } | { refusal: { because: string } };
const wordOf = (answer: Answered) => ('right' in answer ? answer.right.for : answer.refusal.because);
const approves = (person: string, given = world(), asked = action()) =>
  wordOf(rightToApprove(person, given, asked));
const trying = (more: Partial<Eligibility> = {}) => world({ agent: agent({ testMode: true }), ...more });

describe('who must not approve, whatever group they are in', () => {
  const every = (person: string, given: Eligibility, asked: AskedAction) => [
    conflictOf(person, given, asked)?.because,
    approves(person, given, asked),
    mayDeny(person, given, asked)?.because,
    wordOf(rightToBreakGlass(person, given, asked)),
  ];

  test.each([
    ['owns the agent', 'olga', {}, {}, 'stands_behind'],
    ['deploys it', 'dora', {}, {}, 'stands_behind'],
    ['asked', 'ana', {}, { asked_by: 'ana' }, 'requester'],
    ['is behind the request', 'ana', {}, { behind: ['mia', 'ana'] }, 'requester'],
    ['edited the arguments', 'ana', { editors: ['ana'] }, {}, 'edited_it'],
    ['is nobody of the agent', 'zoe', {}, {}, 'unknown_person'],
    ['has a name that every object has', 'constructor', {}, {}, 'unknown_person'],
  ])('whoever %s', (_, person, given, asked, because) => {
    const members = [...world().members, { group: 'desk', person }, { group: 'glass', person }];
    expect(every(person, world({ members, ...given }), action(asked))).toEqual([
      because,
      because,
      because,
      because,
    ]);
  });

  test('an owner, a deployer or the requester may while it is tried out; whoever is behind it or edited it may not', () => {
    expect(approves('olga', trying())).toBe('olga');
    expect(approves('dora', trying())).toBe('dora');
    expect(approves('ana', trying(), action({ asked_by: 'ana' }))).toBe('ana');
    expect(approves('ana', trying(), action({ behind: ['ana'] }))).toBe('requester');
    expect(approves('ana', trying({ editors: ['ana'] }))).toBe('edited_it');
    expect(approves('zoe', trying({ members: [{ group: 'desk', person: 'zoe' }] }))).toBe('unknown_person');
    expect(approves('cleo', trying())).toBe('not_this_stage');
  });
});

describe('who may approve', () => {
  test('a member of a group of the open stage, by their own right', () => {
    expect(approves('ana')).toBe('ana');
    expect(rightToApprove('ana', world(), action())).toEqual({
      right: { for: 'ana', options: [{ slot: '0/desk', group: 'desk' }] },
    });
    expect(approves('cleo')).toBe('not_this_stage');
    expect(approves('cleo', world(), action({ stage: 1 }))).toBe('cleo');
    expect(approves('ana', world(), action({ stage: 1 }))).toBe('not_this_stage');
    expect(approves('dave')).toBe('not_in_group');
    expect(approves('eve')).toBe('not_in_group');
    expect(approves('ana', world(), action({ approval: null }))).toBe('not_in_group');
  });

  test('a group it was passed on to, in that stage alone, in the place of the one asked', () => {
    const routed = (stage: number) =>
      action({ routed: [{ group: 'leads', stage, because: 'unanswered', at: '2026-01-01T00:00:00Z' }] });
    expect(rightToApprove('dave', world(), routed(0))).toEqual({
      right: { for: 'dave', options: [{ slot: '0/desk', group: 'leads' }] },
    });
    expect(approves('dave', world(), routed(1))).toBe('not_this_stage');
  });

  verifies(
    'never:decision-without-standing',
    'nobody of a group that was not read for too long; to deny, its members still may',
    () => {
      const stale = world({ stale: ['desk'] });
      expect(approves('ana', stale)).toBe('group_stale');
      expect(mayDeny('ana', stale, action())).toBeUndefined();
      expect(approves('ana', world({ stale: ['leads'] }))).toBe('ana');
      expect(approves('dave', world({ stale: ['leads'] }))).toBe('not_in_group');
    },
  );

  test('everyone who may is listed once, deputies with them', () => {
    const deputies = [{ id: 'd1', from: 'ana', to: 'eve', group: null }];
    const members = [...world().members, { group: 'desk', person: 'ana' }];
    expect(approversOf(world({ members, deputies }), action())).toEqual(['ana', 'ben', 'eve']);
  });
});

describe('a deputy', () => {
  const lent = (from: string, to: string, group: string | null = null, id = 'd1') => ({
    id,
    from,
    to,
    group,
  });

  test('answers for whom they stand in, in the groups that were lent', () => {
    const answer = (...deputies: Eligibility['deputies']) => approves('eve', world({ deputies }));
    expect(rightToApprove('eve', world({ deputies: [lent('ana', 'eve')] }), action())).toEqual({
      right: { for: 'ana', deputy: 'd1', options: [{ slot: '0/desk', group: 'desk' }] },
    });
    expect(answer(lent('ana', 'eve', 'desk'))).toBe('ana');
    expect(answer(lent('ana', 'eve', 'legal'))).toBe('not_in_group');
    expect(answer(lent('ana', 'ben'))).toBe('not_in_group');
    expect(answer(lent('dave', 'eve'))).toBe('not_in_group');
    expect(answer(lent('cleo', 'eve'))).toBe('not_this_stage');
  });

  verifies(
    'never:decision-without-standing',
    'has no more right than the lender: who may not answer lends none',
    () => {
      const deputies = [lent('ana', 'eve')];
      expect(approves('eve', world({ deputies }), action({ behind: ['ana'] }))).toBe('not_in_group');
      expect(approves('eve', world({ deputies }), action({ asked_by: 'ana' }))).toBe('not_in_group');
      expect(approves('eve', world({ deputies, editors: ['ana'] }))).toBe('not_in_group');
      expect(approves('eve', world({ deputies: [lent('olga', 'eve')] }))).toBe('not_in_group');
      expect(approves('eve', world({ deputies, stale: ['desk'] }))).toBe('group_stale');
    },
  );

  test('may not for a reason of their own either, and their own membership comes first', () => {
    const deputies = [lent('ana', 'ben'), lent('ana', 'olga')];
    expect(approves('ben', world({ deputies }))).toBe('ben');
    expect(approves('olga', world({ deputies }))).toBe('stands_behind');
  });

  test('of two takes the right that nobody used yet', () => {
    const given = world({ deputies: [lent('ana', 'eve'), lent('ben', 'eve', null, 'd2')] });
    const taking = (...taken: string[]) => wordOf(rightToApprove('eve', given, action(), taken));
    expect([taking(), taking('ana'), taking('ben'), taking('ana', 'ben')]).toEqual([
      'ana',
      'ben',
      'ana',
      'ana',
    ]);
  });
});

describe('breaking the glass and denying', () => {
  test('the glass is broken by its own group alone, and where the release has one', () => {
    const breaks = (person: string, asked = action()) => wordOf(rightToBreakGlass(person, world(), asked));
    expect(breaks('eve')).toBe('eve');
    expect(breaks('ana')).toBe('not_in_group');
    const { breakGlass: _, ...without } = action().approval ?? {};
    expect(breaks('eve', action({ approval: without as AskedAction['approval'] }))).toBe('not_in_group');
    expect(breaks('eve', action({ approval: null }))).toBe('not_in_group');
  });

  test('whoever answers in any stage or may break the glass may deny', () => {
    const denies = (person: string) => mayDeny(person, world(), action())?.because ?? 'may';
    expect(['ana', 'cleo', 'eve', 'dave'].map(denies)).toEqual(['may', 'may', 'may', 'not_in_group']);
    expect(mayDeny('ana', world(), action({ approval: null }))?.because).toBe('not_in_group');
  });
});

test('an account of Slack approves what the release says, high risk only where it says any', () => {
  const may = (slackApproves: string, risk: string) =>
    slackMayApprove({ approval: { ...action().approval, slackApproves }, risk } as AskedAction);
  const RISKS = ['low', 'medium', 'high'];
  expect(RISKS.map((risk) => may('any', risk))).toEqual([true, true, true]);
  expect(RISKS.map((risk) => may('not-high', risk))).toEqual([true, true, false]);
  expect(RISKS.map((risk) => may('none', risk))).toEqual([false, false, false]);
  expect(slackMayApprove({ approval: null, risk: 'low' })).toBe(false);
});

test('a stage is filled by as many people as each group needs, in its own slots', () => {
  const needs = [{ group: 'desk', quorum: 2 }];
  const by = (person: string, slot = '0/desk') => ({ person, options: [{ slot, group: 'desk' }] });
  expect(tallyStage(needs, 0, [by('ana')]).filled).toBe(false);
  expect(tallyStage(needs, 0, [by('ana'), by('ana')]).filled).toBe(false);
  expect(tallyStage(needs, 0, [by('ana'), by('ben', '1/desk')]).filled).toBe(false);
  const filled = tallyStage(needs, 0, [by('ana'), by('ben')]);
  expect(filled.filled).toBe(true);
  expect([...filled.slots]).toEqual([
    ['ana', '0/desk'],
    ['ben', '0/desk'],
  ]);
});
