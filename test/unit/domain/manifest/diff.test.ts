import { expect, test } from 'vitest';
import { diffAgents } from '../../../../src/domain/manifest/diff.ts';
import { agentOf } from './fixtures.ts';

const withTool = (tool: Record<string, unknown>) =>
  agentOf({
    tools: {
      pay: {
        args: { type: 'object', properties: { to: { type: 'string' }, iban: { type: 'string' } } },
        ...tool,
      },
    },
  });
const redactions = (before: Record<string, unknown> | undefined, after: Record<string, unknown>) =>
  diffAgents(before && withTool(before), withTool(after))
    .filter(({ what }) => what.startsWith('redact'))
    .map(({ sign, what }) => `${sign}${what}`);

test('what is shown from now on and what is hidden from now on are told apart', () => {
  expect(redactions({ redact: ['iban'] }, { redact: [] })).toEqual(['-redact pay iban']);
  expect(redactions({ redact: ['iban'] }, { redact: ['iban', 'to'] })).toEqual(['+redact pay to']);
  expect(redactions({ redact: ['iban'] }, { redact: ['to'] })).toEqual([
    '-redact pay iban',
    '+redact pay to',
  ]);
  expect(redactions({ redact: ['iban'] }, { redact: ['iban'] })).toEqual([]);
});

test('nothing changed is no change', () => {
  expect(diffAgents(withTool({}), withTool({}))).toEqual([]);
});
