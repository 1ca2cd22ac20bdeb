import { describe, expect, test } from 'vitest';
import { openWrites } from '../../../../src/domain/manifest/open-schemas.ts';
import { agentOf, releaseOf } from './fixtures.ts';

const closed = { additionalProperties: false };
const text = { type: 'string' };

function said(
  schema: Record<string, unknown>,
  grant: Record<string, unknown> = { approval: 'none' },
): string[] {
  const agent = agentOf({ tools: { send: { args: { type: 'object', ...schema } } } });
  return openWrites(releaseOf([{ tool: 'send', ...grant }]), agent);
}

describe('an open schema is said where a write may run unasked', () => {
  test.each<[Record<string, unknown>, string]>([
    [{ properties: { to: text } }, 'args'],
    [{}, 'args'],
    [{ properties: { to: text }, additionalProperties: true }, 'args'],
    [{ ...closed, properties: { mail: { type: 'object', properties: { to: text } } } }, 'args/mail'],
    [{ ...closed, properties: { any: {} } }, 'args/any'],
    [{ ...closed, properties: { list: { type: 'array' } } }, 'args/list[]'],
    [{ ...closed, properties: { list: { type: 'array', items: { type: 'object' } } } }, 'args/list[]'],
    [{ additionalProperties: { type: 'object' } }, 'args/*'],
    [{ ...closed, $defs: { m: { type: 'object' } }, properties: { m: { $ref: '#/$defs/m' } } }, 'args/m'],
  ])('%j at %s', (schema, at) => {
    expect(said(schema)).toEqual([expect.stringContaining(`The schema of send is open at ${at}: unasked`)]);
  });

  test.each([
    { ...closed, properties: { to: text } },
    { ...closed, type: undefined, properties: { to: text } },
    { ...closed, properties: { to: { enum: ['a', { b: 1 }] } } },
    { ...closed, properties: { list: { type: 'array', items: text } } },
    { additionalProperties: text },
    { unevaluatedProperties: false, allOf: [{ properties: { a: text } }] },
    { ...closed, properties: { tree: { $ref: '#' } } },
    { ...closed, properties: { to: { type: ['string', 'null'] } } },
  ])('and a closed one is not: %j', (schema) => expect(said(schema)).toEqual([]));

  test('nor where people are asked', () => {
    expect(said({}, { approval: 'desk' })).toEqual([]);
    expect(
      said({}, { approval: { group: 'desk', rules: [{ when: 'true', answer: 'approve' }] } }),
    ).toHaveLength(1);
  });
});
