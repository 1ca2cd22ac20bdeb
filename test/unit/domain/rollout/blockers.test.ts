import { describe, expect, test } from 'vitest';
import {
  businessBlockers,
  overdueBlockers,
  type SuiteFacts,
  type SuiteGate,
  suiteBlockers,
  waiverBlockers,
} from '../../../../src/domain/rollout/blockers.ts';

const UNTIL = new Date('2026-12-24T00:00:00Z');
const suite = (more: Partial<SuiteFacts> = {}): SuiteFacts => ({
  everAdmitted: true,
  green: 18,
  notApplicable: 0,
  red: [],
  unevaluable: [],
  ...more,
});
const codes = (gate: Partial<SuiteGate>) =>
  suiteBlockers({
    suite: suite(),
    waivers: [],
    noneYet: undefined,
    saidBefore: undefined,
    ...gate,
  }).map(({ code }) => code);
const waiver = (name: string) => ({ case: name, person: 'max', reason: 'looked at', until: UNTIL });
const line = (name: string) => ({ case: name, why: 'a person was to be asked' });
const none = suite({ everAdmitted: false, green: 0 });

describe('a start is refused', () => {
  test('on a red case and on one that cannot be evaluated, whatever is green beside it', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ suite: suite({ red: [line('a'), line('b')] }) })).toEqual(['cases_red', 'cases_red']);
    expect(codes({ suite: suite({ unevaluable: [line('a')] }) })).toEqual(['cases_unevaluable']);
    expect(codes({ suite: suite({ green: 0, unevaluable: [line('a')] }) })).toEqual(['cases_unevaluable']);
  });

  test('not on a named case that is waived, and still on every other', () => {
    const red = suite({ red: [line('a'), line('b')], unevaluable: [line('c')] });
    expect(codes({ suite: red, waivers: [waiver('a'), waiver('c')] })).toEqual(['cases_red']);
    expect(codes({ suite: red, waivers: ['a', 'b', 'c'].map(waiver) })).toEqual([]);
  });

  test('a waiver of what is not failing is none', () => {
    expect(waiverBlockers([waiver('typo')], suite({ red: [line('a')] }))).toMatchObject([
      { code: 'waiver_of_nothing', hint: 'those are a' },
    ]);
    expect(waiverBlockers([waiver('a')], suite({ red: [line('a')] }))).toEqual([]);
  });

  test('on an empty suite, unless it is said once why, by an agent that never had a case', () => {
    const saidBefore = { person: 'max', reason: 'new', at: UNTIL };
    expect(codes({ suite: none })).toEqual(['cases_empty']);
    expect(codes({ suite: none, noneYet: 'it is new' })).toEqual([]);
    expect(codes({ suite: none, noneYet: 'it is new', saidBefore })).toEqual(['none_yet_said_before']);
    const retired = suite({ green: 0 });
    expect(codes({ suite: retired, noneYet: 'it is new' })).toEqual(['cases_empty', 'none_yet_not_true']);
    expect(codes({ noneYet: 'it is new' })).toEqual(['none_yet_not_true']);
  });

  test('where no case says anything of the release', () => {
    expect(codes({ suite: suite({ green: 0, notApplicable: 5 }) })).toEqual(['cases_empty']);
  });

  test('on a guardrail whose metric stands for no business metric', () => {
    const metrics = { wrong: { business: 'Correction workload' }, slow: { business: ' ' } };
    expect(businessBlockers([{ metric: 'wrong' }, { metric: 'slow' }], metrics)).toMatchObject([
      { code: 'business_missing', hint: 'write metrics.slow.business in the manifest of the agent' },
    ]);
  });

  test('on a follow-up whose day is over', () => {
    const overdue = [{ id: 'fu-1', sentence: 'Limit certificates', owner: 'mia', dueAt: UNTIL }];
    expect(overdueBlockers(overdue)).toMatchObject([
      { code: 'follow_up_overdue', message: expect.stringContaining('due on 2026-12-24') },
    ]);
  });
});
