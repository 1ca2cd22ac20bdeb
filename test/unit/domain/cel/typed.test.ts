import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../../src/domain/cel/cel.ts';

const object = (properties: Record<string, unknown>) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
});
const integer = { type: 'integer' };
const string = { type: 'string' };

function truth(schema: Record<string, unknown>, source: string, args: Record<string, unknown>): string {
  const condition = compileCondition(source, { args: schema, attributes: {} });
  return condition.ok ? condition.evaluate({ args, context: {} }) : 'refused';
}

describe('each member has the type of its own schema', () => {
  test('also where the names of two lead to the same words', () => {
    const schema = object({ a_b: object({ x: integer }), a: object({ b: object({ x: string }) }) });
    const args = { a_b: { x: 1 }, a: { b: { x: 's' } } };
    expect(truth(schema, 'args.a_b.x == 1 && args.a.b.x == "s"', args)).toBe('true');
    expect(truth(schema, 'args.a_b.x == "s"', args)).toBe('refused');
    expect(truth(schema, 'args.a.b.x == 1', args)).toBe('refused');
  });

  test('also where its name is no word', () => {
    const schema = object({ 'a-b': object({ x: integer }), 'a b': object({ x: string }) });
    const args = { 'a-b': { x: 1 }, 'a b': { x: 's' } };
    expect(truth(schema, 'args["a-b"].x == 1', args)).not.toBe('error');
    expect(truth(schema, 'args["a-b"].x == "s"', args)).toBe('refused');
  });

  test('also where several schemas say it', () => {
    const schema = { allOf: [object({ n: { allOf: [integer, { minimum: 1 }] } })], type: 'object' };
    expect(truth(schema, 'args.n > 3', { n: 4 })).toBe('true');
    expect(truth(schema, 'args.n == "x"', { n: 4 })).toBe('refused');
    const either = object({ n: { allOf: [{ type: 'number' }, integer] } });
    expect(truth(either, 'args.n == "x"', { n: 4 })).toBe('refused');
    expect(truth(either, 'args.n % 2 == 0', { n: 4 })).toBe('true');
  });
});
