import { describe, expect, test } from 'vitest';
import type { ActionRow, LogEntry } from '../../../examples/airline/demo/api.ts';
import type { Drill } from '../../../examples/airline/demo/drill.ts';
import {
  begunAfterRollback,
  begunUnasked,
  begunWhileOff,
  checkInvariants,
  type Evidence,
} from '../../../examples/airline/demo/invariants.ts';
import type { Learned } from '../../../examples/airline/demo/learn.ts';

const entry = (seq: number, kind: string, ref: string, data: Record<string, unknown> = {}): LogEntry => ({
  seq,
  kind,
  ref,
  data,
});
const row = (id: string, more: Partial<ActionRow> = {}) =>
  ({ id, state: 'executed', arm: 'candidate', segment: 'silver-test', reasons: [], ...more }) as ActionRow;
const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));

const DRILL: Drill = {
  day: 80,
  disableMs: 10,
  offAtMs: 5,
  state: 'closed',
  openWrites: 3,
  inFlight: 1,
  voided: 2,
  epochOff: 7,
  epochOn: 9,
  closedAt: at(10),
  onAt: at(12),
};

const PREFLIGHT = { ready: false, blockers: [] };
const RED = { green: 0, red: [{ case: 'c', why: '' }] };
const GREEN = { green: 1, red: [] };
const LEARNED: Learned = {
  wrong: ['a'],
  incidents: [{ id: 'inc-1', mechanism: 'over_grant', writes: 1, state: 'reproduced' }],
  case: { name: 'c', incident: 'inc-1', redOn: '2', greenOn: '3' },
  week: '',
  preflights: [
    { ...PREFLIGHT, release: '2', suite: RED },
    { ...PREFLIGHT, release: '3', suite: GREEN },
  ],
};
const ONE_INCIDENT = 'every wrong write is in exactly one incident';
const REFUSED = 'its case refuses release 2, and not release 3';

const good: Evidence = {
  entries: [
    entry(1, 'action.asked', 'a', { outcome: 'allowed' }),
    entry(2, 'action.begun', 'a', { epoch: 5 }),
    entry(3, 'action.executed', 'a'),
    entry(4, 'incident.joined', 'inc-1', { action: 'a' }),
  ],
  rows: [row('a', { execution: { beganAt: at(1).toISOString() } })],
  desk: {
    reads: 0,
    accepted: 1,
    refusedByTool: 0,
    refusedCredential: { credential_missing: 1 },
    actions: ['a'],
  },
  log: { verified: true, entries: 3, tail: 0 },
  drill: DRILL,
  rollbacks: [],
  wrongSums: [],
  control: false,
  probes: 1,
  learned: LEARNED,
};
const broken = (more: Partial<Evidence>) =>
  checkInvariants({ ...good, ...more })
    .filter(({ holds }) => !holds)
    .map(({ name }) => name);

describe('the invariants of the demo', () => {
  test('hold where all is well', () => expect(broken({})).toEqual([]));

  test('a begin without an allow or an approval before it is found', () => {
    const asked = entry(1, 'action.asked', 'a', { outcome: 'pending' });
    const begun = entry(2, 'action.begun', 'a', { epoch: 5 });
    expect(begunUnasked([asked, begun])).toEqual(['a']);
    expect(begunUnasked([asked, begun, entry(3, 'action.approved', 'a')])).toEqual(['a']);
    expect(
      begunUnasked([asked, { ...begun, seq: 3 }].toSpliced(1, 0, entry(2, 'action.approved', 'a'))),
    ).toEqual([]);
  });

  test.each([
    [6, 0],
    [7, 1],
    [8, 1],
    [9, 0],
  ])('a begin under epoch %i while epochs 7 and 8 were off counts %i', (epoch, count) => {
    expect(begunWhileOff([entry(1, 'action.begun', 'a', { epoch })], DRILL, [])).toBe(count);
  });

  test.each([
    [9, 0],
    [11, 1],
    [13, 0],
  ])('by the clock: second %i of the 10th to 12th counts %i', (second, count) => {
    expect(begunWhileOff([], DRILL, [row('a', { execution: { beganAt: at(second).toISOString() } })])).toBe(
      count,
    );
  });

  test('after a rollback a begin of the candidate counts, one that a person was asked for does not', () => {
    const stop = entry(1, 'rollout.rolled_back', 'r', { segment: 'silver-test', epoch: 7 });
    const begun = entry(2, 'action.begun', 'a', { epoch: 7 });
    expect(begunAfterRollback([stop, begun], 'silver-test', [row('a')])).toBe(1);
    expect(begunAfterRollback([stop, begun], 'silver-test', [row('a', { arm: 'control' })])).toBe(0);
    expect(begunAfterRollback([stop, { ...begun, data: { epoch: 6 } }], 'silver-test', [row('a')])).toBe(0);
  });

  test.each([
    [{ desk: { ...good.desk, accepted: 2, actions: ['a', 'b'] } }, "the desk's own tally is the log's"],
    [{ desk: { ...good.desk, actions: ['b'] } }, "the desk's own tally is the log's"],
    [{ desk: { ...good.desk, refusedByTool: 1 } }, "the desk's own tally is the log's"],
    [{ desk: { ...good.desk, refusedCredential: {} } }, 'the desk saw no other bad credential'],
    [{ rows: [row('a', { state: 'unknown' })] }, 'every write ended'],
    [{ wrongSums: ['x'] }, 'the figures add up'],
    [{ learned: { ...LEARNED, wrong: ['a', 'b'] } }, ONE_INCIDENT],
    [{ entries: [...good.entries, entry(5, 'incident.joined', 'inc-2', { action: 'a' })] }, ONE_INCIDENT],
    [
      { learned: { ...LEARNED, incidents: [{ id: 'i', mechanism: 'none', writes: 1, state: 'open' }] } },
      ONE_INCIDENT,
    ],
    [{ learned: { ...LEARNED, preflights: [{ ...PREFLIGHT, release: '2', suite: GREEN }] } }, REFUSED],
    [{ learned: { ...LEARNED, preflights: LEARNED.preflights.toReversed() } }, REFUSED],
    [{ log: { verified: false, entries: 3, tail: 0 } }, 'the log verifies'],
    [{ drill: { ...DRILL, state: 'closing' } }, 'nothing began while the switch was off'],
  ])('%j breaks "%s"', (more, name) => expect(broken(more)).toEqual([name]));
});
