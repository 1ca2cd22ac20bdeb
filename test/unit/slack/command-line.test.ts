import { expect, test } from 'vitest';
import { parseCommand, unknownText } from '../../../src/slack/command-line.ts';
import { scopeKey } from '../../../src/slack/scopes.ts';

test.each([
  ['', { do: 'help' }],
  ['help', { do: 'help' }],
  ['status', { do: 'status' }],
  ['status desk', { do: 'status', agent: 'desk' }],
  ['status desk now', { do: 'help' }],
  ['disable', { do: 'disable', reason: '' }],
  ['Disable Everything  it   burns', { do: 'disable', scope: 'everything', reason: 'it burns' }],
  ['disable desk wrong', { do: 'disable', scope: 'agent/desk', reason: 'wrong' }],
  ['disable desk/cancel wrong', { do: 'disable', scope: 'tool/desk/cancel', reason: 'wrong' }],
  ['disable desk/cancel/x wrong', { do: 'help' }],
  ['disable <!channel> wrong', { do: 'help' }],
  ['enable desk', { do: 'enable', scope: 'agent/desk', reason: '' }],
  ['rollback', { do: 'help' }],
  ['rollback desk gold too many', { do: 'rollback', which: 'desk', words: ['gold', 'too', 'many'] }],
  ['pause desk lunch', { do: 'pause', which: 'desk', words: ['lunch'] }],
  ['resume desk', { do: 'resume', which: 'desk', words: [] }],
  ['delete desk', { do: 'unknown', word: 'delete' }],
  ['disabel everything now', { do: 'unknown', word: 'disabel' }],
  ['approvals', { do: 'approvals' }],
  ['approvals desk', { do: 'help' }],
  ['deputy', { do: 'deputies' }],
  ['deputy desk ben 3d away', { do: 'deputy', agent: 'desk', to: 'ben', time: '3d', reason: 'away' }],
  [
    'deputy desk ben 3d in front a way',
    { do: 'deputy', agent: 'desk', to: 'ben', time: '3d', group: 'front', reason: 'a way' },
  ],
  ['deputy desk @ben 3d away', { do: 'deputy', agent: 'desk', to: '@ben', time: '3d', reason: 'away' }],
  [
    'deputy desk <@U0BEN|ben> 3d away',
    { do: 'deputy', agent: 'desk', to: '<@U0BEN|ben>', time: '3d', reason: 'away' },
  ],
  ['deputy desk <!channel 3d away', { do: 'help' }],
  ['deputy desk ben 3d', { do: 'help' }],
  ['deputy desk ben 3d in front', { do: 'help' }],
  ['deputy desk ben never away', { do: 'help' }],
  ['deputy end', { do: 'help' }],
  ['deputy end 1', { do: 'help' }],
  [
    'deputy end 0b7e3f6a-1f6e-4d7e-9f43-0d1f2a3b4c5d',
    { do: 'deputy-end', id: '0b7e3f6a-1f6e-4d7e-9f43-0d1f2a3b4c5d' },
  ],
])('parseCommand(%j)', (text, expected) => {
  expect(parseCommand(text)).toEqual(expected);
});

test.each([
  ['disabel', 'There is no "disabel": did you mean "disable"?'],
  ['Rolback', 'There is no "Rolback": did you mean "rollback"?'],
  ['zzz', 'There is no "zzz": known: help, status'],
])('%s is no command, and what may be meant is said', (word, text) => {
  expect(unknownText(word)).toContain(text);
});

test('scopeKey() fits an option whatever the names are', () => {
  const long = `tool/${'a'.repeat(63)}/${'b'.repeat(63)}`;
  expect(scopeKey(long).length).toBeLessThanOrEqual(75);
  expect(scopeKey(long)).not.toBe(scopeKey(`${long}c`));
  expect(scopeKey('agent/desk')).toBe('agent/desk');
});
