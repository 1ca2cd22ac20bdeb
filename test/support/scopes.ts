import type { Scope } from '../../src/domain/scope.ts';

/** Scopes of the switch as they are stored, what they mean, and how they are said: for the domain and for the store. */
export const SCOPES: [text: string, scope: Scope, words: string][] = [
  ['everything', {}, 'everything'],
  ['agent/desk', { agent: 'desk' }, 'agent desk'],
  ['tool/desk/cancel', { agent: 'desk', tool: 'cancel' }, 'cancel of desk'],
  ['agent/everything', { agent: 'everything' }, 'agent everything'],
  ['tool/agent/tool', { agent: 'agent', tool: 'tool' }, 'tool of agent'],
];

export const NO_SCOPES = [
  '',
  'Everything',
  'everything/desk',
  'desk',
  'agent',
  'agent/',
  'agent//',
  'agent/desk/',
  'agent/desk/cancel',
  'tool/desk',
  'tool/desk/',
  'tool//cancel',
  'tool/desk/cancel/x',
  'agent/de sk',
  'agent/desk\n',
  ' agent/desk',
  'agent/../x',
  `agent/${'a'.repeat(64)}`,
  '<!channel>',
];
