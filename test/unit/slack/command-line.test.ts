import { expect, test } from 'vitest';
import { parseCommand } from '../../../src/slack/command-line.ts';
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
  ['rollback desk gold too many', { do: 'rollback', agent: 'desk', words: ['gold', 'too', 'many'] }],
  ['pause desk lunch', { do: 'pause', agent: 'desk', words: ['lunch'] }],
  ['resume desk', { do: 'resume', agent: 'desk', words: [] }],
  ['delete desk', { do: 'help' }],
])('parseCommand(%j)', (text, expected) => {
  expect(parseCommand(text)).toEqual(expected);
});

test('scopeKey() fits an option whatever the names are', () => {
  const long = `tool/${'a'.repeat(63)}/${'b'.repeat(63)}`;
  expect(scopeKey(long).length).toBeLessThanOrEqual(75);
  expect(scopeKey(long)).not.toBe(scopeKey(`${long}c`));
  expect(scopeKey('agent/desk')).toBe('agent/desk');
});
