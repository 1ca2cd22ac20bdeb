import fc from 'fast-check';
import { expect, test } from 'vitest';
import { REAL_DAY_MS } from '../../../src/domain/duration.ts';
import { doneText, evaluateDone, parseDone } from '../../../src/domain/follow-up/done.ts';
import { blocksAt, nextReminder } from '../../../src/domain/follow-up/ladder.ts';
import { agreementOf } from '../../../src/domain/incident/agreement.ts';
import {
  type ActionFacts,
  establishedBy,
  findingsOf,
  proposalsOf,
} from '../../../src/domain/incident/findings.ts';
import { fingerprintOf, isClassifiedTwice } from '../../../src/domain/incident/fingerprint.ts';
import { MECHANISM_NAMES } from '../../../src/domain/incident/mechanisms.ts';
import { workingDaysAfter } from '../../../src/domain/working-days.ts';

/** An action that a person approved and that was right by every record. */
const CLEAN: ActionFacts = {
  action: 'a',
  begun: true,
  wronglyStopped: false,
  decidedBy: 'person',
  confirmed: true,
  reasons: [],
  scopes: { minted: ['order:cancel'], granted: ['order:cancel', 'order:read'] },
  lifetime: { minted: 60_000, granted: 60_000 },
  segment: { recorded: 'gold', found: 'gold' },
  sameDefinitions: true,
  sequence: { writes: 1, tolerated: 5 },
  verdicts: { recorded: 'ok', now: 'ok' },
};

/** One planted fact for each mechanism that the records establish: taken away, the label goes. */
const PLANTED: readonly [string, Partial<ActionFacts>][] = [
  ['around_gate', { begun: false, effect: true }],
  ['unapproved', { confirmed: false }],
  ['late_stop', { stoppedBefore: 'the stop of noon' }],
  ['excess_credential', { scopes: { minted: ['order:all'], granted: ['order:cancel'] } }],
  ['excess_credential', { lifetime: { minted: 3_600_000, granted: 60_000 } }],
  ['wrong_bucket', { segment: { recorded: 'default', found: 'gold' } }],
  ['runaway', { sequence: { writes: 23, tolerated: 5 } }],
  ['blind_evidence', { verdicts: { recorded: 'ok', now: 'breach' } }],
];

test.each(PLANTED)('%s is established by its planted fact alone', (mechanism, planted) => {
  expect(establishedBy(findingsOf({ ...CLEAN, ...planted }))).toEqual({ mechanism, contributing: [] });
  expect(establishedBy(findingsOf(CLEAN))).toEqual({ contributing: [] });
});

test('the first yes in order wins, whatever else is yes; the others contribute, in order', () => {
  const flags = fc.subarray(PLANTED.slice(1).map((_, at) => at + 1));
  fc.assert(
    fc.property(flags, (chosen) => {
      const facts = Object.assign({}, CLEAN, ...chosen.map((at) => PLANTED[at]?.[1]));
      const expected = MECHANISM_NAMES.filter((name) => chosen.some((at) => PLANTED[at]?.[0] === name));
      const { mechanism, contributing } = establishedBy(findingsOf(facts));
      expect([mechanism, ...contributing].filter((one) => one !== undefined)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

test.each([
  ['misled_approval', CLEAN],
  ['over_grant', { ...CLEAN, decidedBy: 'policy' as const }],
  ['rule_defect', { ...CLEAN, reasons: ['condition_error'] }],
  ['tool_drift', { ...CLEAN, sameDefinitions: false }],
  ['over_block', { ...CLEAN, begun: false, wronglyStopped: true }],
])('%s is put to a person before the others that only a person can tell', (mechanism, facts) => {
  const proposals = proposalsOf(findingsOf(facts));
  const likely = proposals.filter((one) => one.likely).map((one) => one.mechanism);
  expect(likely).toContain(mechanism);
  expect(proposals.slice(0, likely.length).every((one) => one.likely)).toBe(true);
});

test('what the records cannot tell is said, and never taken for a no', () => {
  const unknown = findingsOf({
    action: 'a',
    begun: true,
    wronglyStopped: false,
    decidedBy: null,
    reasons: [],
  });
  expect(unknown.filter(({ answer }) => answer === 'cannot_tell').map(({ mechanism }) => mechanism)).toEqual([
    'unapproved',
    'excess_credential',
    'wrong_bucket',
    'tool_drift',
  ]);
  expect(findingsOf(CLEAN).map(({ mechanism }) => mechanism)).toEqual(MECHANISM_NAMES);
});

test('one in five is classified twice, by its id alone', () => {
  const twice = Array.from({ length: 5_000 }, (_, n) => isClassifiedTwice(`inc-${n}`)).filter(Boolean).length;
  expect(twice).toBeGreaterThan(900);
  expect(twice).toBeLessThan(1_150);
});

test('Cohen’s kappa, by a table of his form', () => {
  const pairs = [
    ...Array.from({ length: 20 }, () => ['a', 'a'] as const),
    ...Array.from({ length: 5 }, () => ['a', 'b'] as const),
    ...Array.from({ length: 10 }, () => ['b', 'a'] as const),
    ...Array.from({ length: 15 }, () => ['b', 'b'] as const),
  ];
  expect(agreementOf(pairs)).toEqual({ pairs: 50, agreed: 35, kappa: expect.closeTo(0.4, 10) });
  expect(agreementOf([])).toEqual({ pairs: 0, agreed: 0, kappa: null });
  expect(agreementOf([['a', 'a']]).kappa).toBeNull();
});

test('what is unclassified is like what is unclassified, and without a tool nothing is like anything', () => {
  const one = { agent: 'desk', tool: 'cancel', mechanism: null, segment: null };
  expect(fingerprintOf(one)).toBe(fingerprintOf({ ...one, segment: 'default' }));
  expect(fingerprintOf(one)).not.toBe(fingerprintOf({ ...one, mechanism: 'wrong_call' }));
  expect(fingerprintOf({ ...one, tool: null })).toBeNull();
});

test('three working days from a Friday end on the Wednesday; a short day has no weekends', () => {
  const friday = new Date('2026-11-20T15:00:00Z');
  expect(workingDaysAfter(friday, 3, REAL_DAY_MS).toISOString()).toBe('2026-11-25T15:00:00.000Z');
  expect(workingDaysAfter(friday, 3, 1_000).getTime() - friday.getTime()).toBe(3_000);
});

test.each([
  ['case cancel-many is green in what is in force', { kind: 'case', case: 'cancel-many' }],
  ['guardrail wrong exists', { kind: 'guardrail', guardrail: 'wrong' }],
  [
    'metric wrong below 0.02 for 14 days in gold',
    { kind: 'metric', metric: 'wrong', below: 0.02, days: 14, segment: 'gold' },
  ],
  ['metric wrong below 0.02 for 0 days', { kind: 'link', what: 'metric wrong below 0.02 for 0 days' }],
  ['Talk to the vendor', { kind: 'link', what: 'Talk to the vendor' }],
])('%s is read', (text, done) => {
  const read = parseDone(text);
  expect(read).toEqual(done);
  if (read.kind !== 'link') expect(parseDone(doneText(read))).toEqual(read);
});

test('a predicate is done by the records alone, and doubt is not done', () => {
  const metric = { kind: 'metric', metric: 'wrong', below: 0.02, days: 3 } as const;
  const day = (harms: number, known = 100, events = 100) => ({ events, harms, known });
  expect(evaluateDone(metric, { metricDays: [day(50), day(1), day(0), day(1)] }).done).toBe(true);
  expect(evaluateDone(metric, { metricDays: [day(1), day(2), day(1)] }).done).toBe(false);
  expect(evaluateDone(metric, { metricDays: [day(1), day(0, 0, 0), day(1)] }).done).toBeNull();
  expect(evaluateDone(metric, { metricDays: [day(1), day(1)] }).done).toBeNull();
  // Nobody said what came of half of them: they are neither good nor bad.
  const silent = evaluateDone(metric, { metricDays: [day(1), day(0, 50), day(1)] });
  expect(silent).toMatchObject({ done: null, because: expect.stringContaining('2 of the last 3 days') });
  expect(evaluateDone(metric, { metricDays: [day(1), day(2, 50), day(1)] }).done).toBe(false);
  expect(evaluateDone(metric, {}).done).toBeNull();
  expect(evaluateDone({ kind: 'case', case: 'c' }, {}).done).toBeNull();
  expect(evaluateDone({ kind: 'case', case: 'c' }, { caseGreen: true }).done).toBe(true);
  expect(evaluateDone({ kind: 'guardrail', guardrail: 'g' }, { guardrailExists: false }).done).toBe(false);
  expect(evaluateDone({ kind: 'link', what: 'it' }, {}).done).toBeNull();
});

test('it is reminded of two days before, on the day, and daily after it', () => {
  const due = new Date('2026-11-20T12:00:00Z');
  const days = (now: string) => (nextReminder(due, new Date(now)).getTime() - due.getTime()) / 86_400_000;
  expect(days('2026-11-01T00:00:00Z')).toBe(-2);
  expect(days('2026-11-18T12:00:00.001Z')).toBe(0);
  expect(days('2026-11-20T12:00:00.001Z')).toBe(1);
  expect(days('2026-11-23T13:00:00Z')).toBe(4);
});

test('only a high one that somebody committed to blocks once it is overdue, and not while it is waived', () => {
  const now = new Date('2026-11-20T12:00:00Z');
  const [before, after] = [new Date(now.getTime() - 1), new Date(now.getTime() + 1)];
  const one = { severity: 'high', state: 'committed', due: before, waivedUntil: null };
  expect(blocksAt(one, now)).toBe(true);
  expect(blocksAt({ ...one, waivedUntil: after }, now)).toBe(false);
  expect(blocksAt({ ...one, waivedUntil: before }, now)).toBe(true);
  for (const change of [{ severity: 'normal' }, { state: 'proposed' }, { state: 'verified' }, { due: after }])
    expect(blocksAt({ ...one, ...change }, now)).toBe(false);
});
