import { describe, expect, test } from 'vitest';
import {
  agentSchema,
  groupOf,
  isLive,
  isWrite,
  onCallOf,
  personFrom,
  segmentNames,
  slackUserOf,
  standsBehind,
  toolOf,
} from '../../../src/domain/agent.ts';

const agent = agentSchema.parse({
  agent: 'desk',
  people: { olga: { slack: 'U1/T1' }, ana: { slack: 'W2/T1' }, ben: {}, dora: {} },
  owners: ['olga'],
  deployers: ['dora'],
  approvers: {
    desk: ['ana', 'ben'],
    leads: { people: ['ben'] },
    live: { slackGroup: 'S01' },
    shift: { schedule: { ical: 'https://pager.example.com/on-call.ics' } },
  },
  tools: { lookup: { kind: 'read' }, cancel: { kind: 'write' }, refund: {} },
  segments: [
    { name: 'gold', when: 'true' },
    { name: 'silver', when: 'false' },
  ],
});

/** What every object has without anybody having written it down. */
const INHERITED = ['constructor', 'toString', '__proto__', 'hasOwnProperty', 'valueOf'];

describe('what nobody declared is not there, whatever it is called', () => {
  test.each([...INHERITED, 'nonesuch', ''])('"%s"', (name) => {
    expect(toolOf(agent, name)).toBeUndefined();
    expect(groupOf(agent, name)).toBeUndefined();
    expect(slackUserOf(agent, name)).toBeUndefined();
  });
});

test('what is declared is found', () => {
  expect(toolOf(agent, 'lookup')?.kind).toBe('read');
  expect(toolOf(agent, 'cancel')?.kind).toBe('write');
  expect(groupOf(agent, 'desk')).toMatchObject({ people: ['ana', 'ben'] });
  expect(groupOf(agent, 'leads')).toMatchObject({ people: ['ben'] });
  expect(slackUserOf(agent, 'olga')).toBe('U1');
  expect(slackUserOf(agent, 'ana')).toBe('W2');
  expect(slackUserOf(agent, 'ben')).toBeUndefined();
});

test('a tool that nobody classified writes', () => {
  const writes = (name: string) => agent.tools[name] && isWrite(agent.tools[name]);
  expect(['lookup', 'cancel', 'refund'].map(writes)).toEqual([false, true, true]);
});

test('only groups that are read elsewhere are live', () => {
  const live = (name: string) => isLive(groupOf(agent, name) ?? { staleAfter: '1h' });
  expect(['desk', 'leads', 'live', 'shift'].map(live)).toEqual([false, false, true, true]);
});

test('owners and deployers stand behind an agent, each alone, and nobody else', () => {
  expect(['olga', 'dora', 'ana', 'nobody'].map((person) => standsBehind(agent, person))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

test('the owners are on call where nobody else is named', () => {
  expect(onCallOf(agent)).toEqual(['olga']);
  expect(onCallOf({ ...agent, onCall: ['ana'] })).toEqual(['ana']);
});

test('segments keep their order, with the one for everything else last', () => {
  expect(segmentNames(agent)).toEqual(['gold', 'silver', 'default']);
});

test.each([
  ['mia', 'mia'],
  ['Mia.Muster_1', 'Mia.Muster_1'],
  ['mia muster', 'mia-muster'],
  ['.mia', 'mia'],
  ['--', 'me'],
  ['', 'me'],
  ['a'.repeat(80), 'a'.repeat(63)],
])('an account "%s" becomes the person "%s"', (account, person) => {
  expect(personFrom(account)).toBe(person);
});
