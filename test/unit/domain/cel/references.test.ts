import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../../src/domain/cel/cel.ts';
import { compileEnvelope, suggestEnvelope } from '../../../../src/domain/decision/envelope.ts';

const person = {
  type: 'object',
  required: ['age'],
  properties: { age: { type: 'integer' }, name: { type: 'string' } },
};
const args = {
  type: 'object',
  required: ['customer', 'both', 'list', 'pair', 'byName', 'tree', 'choice'],
  $defs: {
    person,
    tree: {
      type: 'object',
      required: ['n'],
      properties: { n: { type: 'integer' }, l: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    },
  },
  properties: {
    customer: { $ref: '#/$defs/person' },
    both: {
      allOf: [{ $ref: '#/$defs/person' }, { required: ['vip'], properties: { vip: { type: 'boolean' } } }],
    },
    list: { type: 'array', items: { $ref: '#/$defs/person' } },
    pair: { type: 'array', prefixItems: [{ type: 'string' }], items: { type: 'integer' } },
    byName: { type: 'object', additionalProperties: { $ref: '#/$defs/person' } },
    tree: { $ref: '#/$defs/tree' },
    choice: { anyOf: [{ type: 'integer' }, { type: 'string' }] },
  },
};
const given = {
  customer: { age: 30 },
  both: { age: 1, vip: true },
  list: [{ age: 2 }],
  pair: ['a', 1],
  byName: { ana: { age: 3 } },
  tree: { n: 1, l: [{ n: 2, l: [] }] },
  choice: 5,
};

const evaluate = (source: string): string => {
  const condition = compileCondition(source, { args, attributes: {} });
  return condition.ok
    ? condition.evaluate({ args: given, context: {} })
    : (condition.problems[0]?.message ?? '');
};

describe('conditions are checked against a schema through its references and allOf', () => {
  test.each([
    ['args.customer.age + 1 == 31', 'true'],
    ['args.both.vip && args.both.age < 2', 'true'],
    ['args.list.all(p, p.age == 2)', 'true'],
    ['"ana" in args.byName && args.byName["ana"].age == 3', 'true'],
    ['args.pair[0] == "a" && args.pair[1] == 1', 'true'],
    ['has(args.tree.l) && args.tree.l[0].n == 2', 'true'],
    ['args.choice == 5', 'true'],
    ['args.customer.agee == 1', 'There is no "agee" here'],
    ['args.customer.name == "x"', '"name" may be absent'],
    ['args.customer.age == "30"', 'no such overload: int == string'],
    ['args.both.vipp', 'There is no "vipp" here'],
    ['args.list.all(p, p.agee == 2)', 'There is no "agee" here'],
  ])('%s: %s', (source, expected) => expect(evaluate(source)).toContain(expected));
});

test('an envelope sees no member that such a schema does not declare, and covers nothing with one', () => {
  const tool = {
    args: { type: 'object', $defs: { person }, properties: { customer: { $ref: '#/$defs/person' } } },
    redact: [],
  };
  const asked = { customer: { age: 30 } };
  const matches = compileEnvelope(suggestEnvelope(asked, tool).text, tool);
  expect(matches({ args: asked })).toBe('true');
  expect(matches({ args: { customer: { age: 31 } } })).toBe('false');
  expect(matches({ args: { customer: { age: 30, bcc: 'x' } } })).toBe('error');
});
