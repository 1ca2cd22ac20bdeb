import { expect, test } from 'vitest';
import {
  concernsAny,
  readScope,
  scopesOver,
  scopeText,
  scopeWords,
  typedScope,
} from '../../../src/domain/scope.ts';
import { NO_SCOPES, SCOPES } from '../../support/scopes.ts';

test.each(SCOPES)('%s is read, written and said', (text, scope, words) => {
  expect(readScope(text)).toEqual(scope);
  expect(scopeText(scope)).toBe(text);
  expect(scopeWords(text)).toBe(words);
});

test.each(NO_SCOPES)('%j is no scope', (text) => {
  expect(readScope(text)).toBeUndefined();
});

test.each([
  ['EVERYTHING', 'everything'],
  ['desk', 'agent/desk'],
  ['desk/cancel', 'tool/desk/cancel'],
  ['agent/desk', 'agent/desk'],
  ['tool/desk/cancel', 'tool/desk/cancel'],
  ['agent', 'agent/agent'],
])('whoever types %s means %s', (typed, text) => {
  expect(typedScope(typed)).toEqual(readScope(text));
});

test.each(['', 'desk/cancel/x', '<!channel>', 'desk/', '/cancel', 'every thing'])(
  'whoever types %j means nothing',
  (typed) => {
    expect(typedScope(typed)).toBeUndefined();
  },
);

test('what stops a tool, an agent, and whom a scope concerns', () => {
  expect(scopesOver('desk', 'cancel')).toEqual(['everything', 'agent/desk', 'tool/desk/cancel']);
  expect(scopesOver('desk')).toEqual(['everything', 'agent/desk']);
  const desk = new Set(['desk']);
  const concerned = ['everything', 'agent/desk', 'tool/desk/cancel', 'agent/bank', 'tool/bank/desk'];
  expect(concerned.filter((scope) => concernsAny(scope, desk))).toEqual(concerned.slice(0, 3));
});
