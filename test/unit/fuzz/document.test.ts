import { expect, test } from 'vitest';
import { configOf } from '../../fuzz/config.ts';
import { toTry } from '../../fuzz/document.ts';

const answer = { 200: { content: { 'application/json': { schema: { required: ['id'] } } } } };
const served = {
  paths: {
    '/v1/events': { get: { operationId: 'followEvents', responses: answer } },
    '/v1/actions': {
      get: { operationId: 'listActions', responses: answer },
      post: {
        operationId: 'ask',
        responses: answer,
        requestBody: {
          content: {
            'application/json': {
              schema: {
                properties: {
                  args: { type: 'object' },
                  callback: { anyOf: [{ type: 'string', format: 'uri' }] },
                },
              },
            },
          },
        },
      },
    },
  },
};
type Tried = { paths: Record<string, Record<string, { responses?: unknown; requestBody?: unknown }>> };

test('only what is asked for is tried, what never ends is not, and what answers look like stays', () => {
  const { paths } = toTry(served, { isAsked: (id) => id !== 'listActions', narrow: false }) as Tried;
  expect(Object.values(paths).flatMap((methods) => Object.keys(methods))).toEqual(['post']);
  expect(paths['/v1/actions']?.post?.responses).toEqual(answer);
});

test('no address is made up, and arguments are narrowed only where that is asked for', () => {
  const body = (narrow: boolean) =>
    JSON.stringify(
      (toTry(served, { isAsked: () => true, narrow }) as Tried).paths['/v1/actions']?.post?.requestBody,
    );
  for (const narrow of [true, false]) expect(body(narrow)).toContain('fuzz.invalid');
  expect(body(false)).not.toContain('additionalProperties');
  expect(body(true)).toContain('additionalProperties');
});

test('what is not there is not bound', () => {
  const none = { agents: [], people: [], tools: [], groups: [], releases: [], actions: [], digests: [] };
  const config = configOf({ ...none, rollouts: [], tokens: ['a'] });
  const bound = [...config.matchAll(/dictionary = "(\w+)"/g)].map(([, name]) => name);
  for (const name of new Set(bound)) expect(config).toContain(`[dictionaries.${name}]`);
});
