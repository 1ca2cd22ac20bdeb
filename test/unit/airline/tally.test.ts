import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ActionRow } from '../../../examples/airline/demo/api.ts';
import { loadRecording } from '../../../examples/airline/demo/recording.ts';
import {
  callIdOf,
  countApart,
  countOf,
  endOf,
  fatesOf,
  flowOf,
  kindOf,
  linkOf,
  wrongSums,
} from '../../../examples/airline/demo/tally.ts';

const { truth } = loadRecording();
const callIds = [...truth.keys()];
const DESK = 'http://desk';

function row(callId: string, more: Partial<ActionRow> = {}): ActionRow {
  return {
    id: `action of ${callId}`,
    state: 'executed',
    kind: 'write',
    tool: 'cancel_reservation',
    summary: '',
    argsDigest: '',
    revision: 1,
    links: [linkOf(DESK, callId)],
    arm: 'control',
    reasons: [],
    decisions: [],
    askedAt: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}

const unasked: Partial<ActionRow> = { decidedBy: 'policy' };
const approvedBy: Partial<ActionRow> = {
  approval: { group: 'desk' },
  decidedBy: 'person',
  decisions: [{ person: 'ana', verdict: 'approve' }],
};
const deniedBy: Partial<ActionRow> = {
  state: 'denied',
  approval: { group: 'desk' },
  decidedBy: 'person',
  decisions: [{ person: 'ana', verdict: 'deny' }],
};
const refused: Partial<ActionRow> = { state: 'failed', execution: { beganAt: '', error: 'refused_by_tool' } };
const switchedOff: Partial<ActionRow> = {
  state: 'denied',
  decidedBy: 'policy',
  reasons: [{ code: 'switched_off', message: '' }],
};

/** Every way in which a write can go. */
const WAYS: readonly Partial<ActionRow>[] = [
  unasked,
  approvedBy,
  deniedBy,
  { ...unasked, ...refused },
  { ...approvedBy, ...refused },
  switchedOff,
  { ...approvedBy, state: 'superseded' },
  { approval: { group: 'desk' }, state: 'disabled' },
  { approval: { group: 'desk' }, state: 'expired' },
  { approval: { group: 'desk' }, state: 'pending' },
  { ...unasked, state: 'failed', execution: { beganAt: '', error: 'stopped_before_credential' } },
  { ...unasked, state: 'unknown' },
];

describe('the figures', () => {
  test('a link leads to its call', () => {
    expect(callIdOf({ links: ['http://other', linkOf(DESK, '0-3/7')] })).toBe('0-3/7');
    expect(callIdOf({ links: [] })).toBeUndefined();
  });

  test.each([
    ['executed', undefined, 'executed'],
    ['failed', 'refused_by_tool', 'refused'],
    ['failed', 'stopped_before_credential', 'stopped'],
    ['denied', undefined, 'stopped'],
    ['expired', undefined, 'stopped'],
    ['superseded', undefined, 'stopped'],
    ['disabled', undefined, 'stopped'],
    ['pending', undefined, 'open'],
    ['executing', undefined, 'open'],
    ['unknown', undefined, 'open'],
  ] as const)('%s %s is %s', (state, error, end) => {
    expect(endOf({ state, execution: error ? { beganAt: '', error } : undefined })).toBe(end);
  });

  test('what the airline would have refused anyway is no benefit', () => {
    const of = (expected: boolean, wasRefused: boolean) =>
      kindOf({ end: 'stopped', truth: { expected, refused: wasRefused, afterDivergence: false } });
    expect([of(true, false), of(false, false), of(false, true)]).toEqual([
      'rightStopped',
      'wrongStopped',
      'futileStopped',
    ]);
  });

  test('a write asked again after a stop is one write; its last action is its fate', () => {
    const [callId = ''] = callIds;
    const first = row(callId, { ...switchedOff, id: 'first' });
    const again = row(callId, { ...approvedBy, id: 'again', askedAt: '2026-01-01T00:00:02.000Z' });
    const fates = fatesOf([again, first], truth);
    expect(fates).toMatchObject([{ callId, end: 'executed', askedBefore: 1, row: { id: 'again' } }]);
    expect(flowOf([again, first], fates)).toMatchObject({
      asked: 1,
      denied: 0,
      pending: 1,
      askedAgain: 1,
      humanAnswers: 1,
    });
  });

  test('right + wrong + refused + stopped = asked, whatever happens to each write', () => {
    const ways = fc.array(fc.nat(WAYS.length - 1), { minLength: callIds.length, maxLength: callIds.length });
    fc.assert(
      fc.property(ways, fc.nat(callIds.length), (way, asked) => {
        const rows = callIds.slice(0, asked).map((callId, at) => row(callId, WAYS[way[at] ?? 0]));
        const fates = fatesOf(rows, truth);
        const { judged, afterDivergence } = countApart(fates);
        expect(wrongSums(flowOf(rows, fates), judged, afterDivergence)).toEqual([]);
        expect(countOf(fates).asked).toBe(asked);
      }),
      { numRuns: 60 },
    );
  });

  test('figures that do not add up are named', () => {
    const fates = fatesOf([row('0-0/3', unasked)], truth);
    const { judged, afterDivergence } = countApart(fates);
    const flow = { ...flowOf([], fates), asked: 2 };
    expect(wrongSums(flow, judged, afterDivergence)).toContain(
      'up to and after divergence = asked: 1 is not 2',
    );
  });

  test('without a gate the figures are those of the recording', () => {
    const rows = callIds.map((callId) =>
      row(callId, truth.get(callId)?.refused ? { ...unasked, ...refused } : unasked),
    );
    const count = countOf(fatesOf(rows, truth));
    expect(count).toMatchObject({
      asked: 250,
      rightExecuted: 88,
      wrongExecuted: 89,
      refusedByTool: 73,
      rightStopped: 0,
    });
  });
});
