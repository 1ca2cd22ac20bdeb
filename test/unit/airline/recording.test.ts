import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { arrivalDay } from '../../../examples/airline/demo/calendar.ts';
import {
  asRecorded,
  controlSet,
  inOrder,
  loadRecording,
  RECORDING_FILE,
  runsAsRecorded,
  truthOf,
  writesOf,
} from '../../../examples/airline/demo/recording.ts';
import { inTestGroup } from '../../../examples/airline/desk/customers.ts';
import { loadRecords } from '../../../examples/airline/desk/records.ts';

const recording = loadRecording();
const { conversations, truth, runs } = recording;

describe('the recording', () => {
  test('200 conversations, 976 calls, 250 writes, of which 177 went through: 88 right, 89 wrong', () => {
    expect(conversations).toHaveLength(200);
    expect(conversations.flatMap(({ calls }) => calls)).toHaveLength(976);
    expect(asRecorded(conversations, truth)).toEqual({
      writes: 250,
      through: 177,
      right: 88,
      wrong: 89,
      refused: 73,
    });
  });

  test('84 of the 200 tasks were solved and 48 handed over; no conversation exceeds the cap that the manifest sets', () => {
    expect(runsAsRecorded(conversations, runs)).toEqual({
      conversations: 200,
      solved: 84,
      escalated: 48,
      thousandChars: expect.closeTo(134.397, 3),
    });
    const { cap } = parse(
      readFileSync(new URL('../../../examples/airline/agent.yaml', import.meta.url), 'utf8'),
    ).metrics.cost;
    expect(Math.max(...[...runs.values()].map(({ thousandChars }) => thousandChars))).toBeLessThan(cap);
  });

  test('none of the 73 refused writes was expected', () => {
    expect([...truth.values()].filter(({ expected, refused }) => expected && refused)).toEqual([]);
  });

  test('89 writes follow the first unexpected one of their conversation, 15 of them expected', () => {
    const after = [...truth.values()].filter(({ afterDivergence }) => afterDivergence);
    expect(after).toHaveLength(89);
    expect(after.filter(({ expected }) => expected)).toHaveLength(15);
  });

  test('the control set is the 112 conversations whose writes were all expected', () => {
    const control = controlSet(recording);
    expect(control).toHaveLength(112);
    const writes = control.flatMap(writesOf).map(({ id }) => truthOf(truth, id));
    expect(
      writes.every(({ expected, refused, afterDivergence }) => expected && !refused && !afterDivergence),
    ).toBe(true);
  });

  test('call ids are unique', () => {
    const ids = conversations.flatMap(({ calls }) => calls.map(({ id }) => id));
    expect(new Set(ids).size).toBe(976);
  });

  test('what the player is given says nothing of right and wrong', () => {
    expect(JSON.stringify(conversations)).not.toMatch(/"expected"|"error"|"task_success"|"escalated"/);
  });
});

describe('inOrder()', () => {
  test('without a seed it is the recorded order; with one a permutation, the same each time', () => {
    expect(inOrder(conversations, undefined)).toEqual(conversations);
    const shuffled = inOrder(conversations, 7);
    expect(shuffled).toEqual(inOrder(conversations, 7));
    expect(shuffled).not.toEqual(inOrder(conversations, 8));
    expect(new Set(shuffled)).toEqual(new Set(conversations));
  });
});

test('arrivalDay() spreads evenly over 90 days', () => {
  expect([arrivalDay(0, 200), arrivalDay(199, 200)]).toEqual([0.225, 89.775]);
});

describe('what the desk knows', () => {
  const records = loadRecords(RECORDING_FILE);

  test('a customer has one membership', () => {
    for (const { user, tier } of conversations) expect(records.tiers.get(user)).toBe(tier);
    expect(records.tiers.size).toBe(34);
  });

  test('the 73 refused calls, and not which calls were expected', () => {
    expect(records.refused.size).toBe(73);
    for (const id of records.refused) expect(truthOf(truth, id).refused).toBe(true);
  });

  test('the test group: silver customers alone, by a rule that looks at the id alone', () => {
    const group = new Set(
      conversations.filter(({ user, tier }) => inTestGroup(user, tier)).map(({ user }) => user),
    );
    const silver = new Set(conversations.filter(({ tier }) => tier === 'silver').map(({ user }) => user));
    expect([...group].every((user) => silver.has(user))).toBe(true);
    expect(group.size).toBeGreaterThan(0);
    expect(group.size).toBeLessThan(silver.size);
  });
});
