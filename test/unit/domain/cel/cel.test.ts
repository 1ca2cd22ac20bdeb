import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONDITION_LENGTH_MAX,
  type Condition,
  type ConditionValues,
  compileCondition,
} from '../../../../src/domain/cel/cel.ts';

const attributes = { tier: 'string', vip: 'bool', age: 'int', score: 'double' } as const;
const text = { type: 'string' };
const passenger = { type: 'object', required: ['dob'], properties: { dob: text, age: { type: 'integer' } } };
const args = {
  type: 'object',
  required: ['amount', 'price', 'passengers', 'tags'],
  properties: {
    amount: { type: 'integer' },
    price: { type: 'number' },
    note: text,
    payer: { type: 'object', required: ['id'], properties: { id: text } },
    passengers: { type: 'array', items: passenger },
    tags: { type: 'array', items: text },
    labels: { type: 'object', additionalProperties: { type: 'integer' } },
  },
};
const values: ConditionValues = {
  args: { amount: 3, price: 5, passengers: [{ dob: '1990', age: 34 }], tags: ['new'] },
  context: { tier: 'gold', vip: true, age: 30, score: 1.5 },
  subject: 's-1',
};
const compile = (source: string): Condition => compileCondition(source, { args, attributes });
const canonicalOf = (source: string): string => {
  const condition = compile(source);
  if (!condition.ok) throw new Error(`${source}: ${JSON.stringify(condition.problems)}`);
  return condition.canonical;
};
const evaluate = (source: string, given: ConditionValues = values): string => {
  const condition = compile(source);
  return condition.ok
    ? condition.evaluate(given)
    : condition.problems.map(({ message }) => message).join('; ');
};

describe('compileCondition() evaluates', () => {
  test.each([
    ['args.amount == 3', 'true'],
    ['args.amount > 3', 'false'],
    ['args.price > 4.5', 'true'],
    ['args.passengers.all(p, p.dob.startsWith("19"))', 'true'],
    ['args.passengers.exists(p, has(p.age) && p.age >= 34)', 'true'],
    ['args.passengers.filter(p, p.dob == "1990").size() == 1', 'true'],
    ['"new" in args.tags', 'true'],
    ['args.tags.exists(subject, subject == "new") && subject == "s-1"', 'true'],
    ['has(args.note) && args.note == "x"', 'false'],
    ['has(args.payer) && args.payer.id == "x"', 'false'],
    ['context.age >= 18 && context.score < 2.0', 'true'],
    ['context.vip', 'true'],
    ['subject == "s-1"', 'true'],
    ['re2(context.tier, "^(gold|silver)$")', 'true'],
    ['args.passengers[3].dob == "x"', 'error'],
    ['1 / (args.amount - 3) == 1', 'error'],
    ['int(context.tier) == 1', 'error'],
  ])('%s is %s', (source, truth) => expect(evaluate(source)).toBe(truth));

  test.each([
    ['args.amount == 3', { ...values, args: { ...values.args, amount: '3' } }],
    ['args.amount == 3', { ...values, args: { ...values.args, amount: 3.5 } }],
    ['args.amount == 3', { context: {} }],
    ['context.vip', { context: { vip: 'true' } }],
    ['context.vip', { context: null as unknown as Record<string, unknown> }],
    ['args.tags.size() == 1', { ...values, args: { tags: 'new' } }],
  ])('%s errs on values that do not fit, never true', (source, given) =>
    expect(evaluate(source, given)).toBe('error'),
  );

  test('a member of the prototype is not a member', () => {
    expect(
      evaluate('has(args.labels) && has(args.labels.constructor)', { ...values, args: { labels: {} } }),
    ).toBe('false');
    expect(
      evaluate('context.tier == "x"', { context: Object.create({ tier: 'x' }) as Record<string, unknown> }),
    ).toBe('error');
  });

  test('integers are exact', () => {
    const at = (amount: number): ConditionValues => ({ ...values, args: { amount } });
    expect(evaluate('args.amount == 9007199254740991', at(Number.MAX_SAFE_INTEGER))).toBe('true');
    expect(evaluate('args.amount + 2 == 9007199254740993', at(Number.MAX_SAFE_INTEGER))).toBe('true');
    expect(evaluate('args.amount + 1 == 9007199254740993', at(Number.MAX_SAFE_INTEGER))).toBe('false');
  });
});

describe('compileCondition() refuses', () => {
  test.each([
    ['context.teir == "gold"', 'There is no "teir" here', 'Did you mean "tier"?', 8],
    [
      'context.tier == gold',
      '"gold" is not known here',
      'A condition here may name: args, context, subject',
      16,
    ],
    ['context.tier ==', 'Unexpected token: EOF', 'Write a CEL expression', 15],
    ['', 'The condition is empty', 'Write it', 0],
    ['context.tier', 'The condition gives string', 'Compare it', 0],
    ['args.amount == "3"', 'no such overload: int == string', 'Compare values of one type', 0],
    ['args.note == "x"', '"note" may be absent', 'Ask first: has(args.note) && ...', 5],
    ['has(args.nota)', 'There is no "nota" here', 'Did you mean "note"?', 9],
    ['args.labels["a"] == 1', '"labels" may be absent', 'Ask first: has(args.labels) && ...', 5],
    ['context.tier.matches("(a+)+")', 'matches() is refused', 'Use re2', 0],
    ['re2(context.tier, "(?=x)")', 'The pattern of re2() is not valid', 'RE2 syntax', 18],
    ['re2(context.tier, subject)', 'The pattern of re2() is not a literal', 'in quotes', 0],
    ['args.tags.all(a, args.tags.exists(b, a == b))', 'A list walk inside a list walk', 'Use one walk', 17],
    ['cel.bind(x, subject + subject, x == "")', 'cel.bind() is refused', 'Write the expression out', 0],
    ['google.protobuf == 1', '"google" is not known here', 'may name', 0],
  ])('%j: %s', (source, message, hint, start) => {
    const condition = compile(source);
    expect(condition.ok).toBe(false);
    if (condition.ok) return;
    const found = condition.problems.find((problem) => problem.message.startsWith(message));
    expect(found, JSON.stringify(condition.problems)).toBeDefined();
    expect(found?.hint).toContain(hint);
    expect(found?.range.start).toBe(start);
  });

  test('args and subject where only context is known', () => {
    expect(compileCondition('subject == "x"', { attributes })).toMatchObject({ ok: false });
    expect(compileCondition('args.amount == 1', { attributes })).toMatchObject({ ok: false });
  });

  test('text that is too long, too deep or not a condition at all, without throwing', () => {
    expect(compile('x'.repeat(CONDITION_LENGTH_MAX + 1))).toMatchObject({ ok: false });
    expect(compile(`${'('.repeat(500)}true${')'.repeat(500)}`)).toMatchObject({ ok: false });
    const pieces = fc.constantFrom(
      'args',
      '.',
      'amount',
      '(',
      ')',
      '"',
      '==',
      '&&',
      '!',
      '1',
      '[',
      ']',
      ' ',
      'has',
      '?',
      ':',
      ',',
      'in',
      '\\',
      '{',
      '}',
      '0x',
      'e',
      '\n',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 15 }), (parts) => {
        const condition = compile(parts.join(''));
        if (condition.ok) expect(['true', 'false', 'error']).toContain(condition.evaluate(values));
        else expect(condition.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the canonical form', () => {
  test.each([
    ['context.tier == "a"', '"a" == context["tier"]'],
    ['context.vip', 'context.vip == true'],
    ['!context.vip', 'context.vip != true'],
    ['context.age > 3', '3 < context.age'],
    ['context.age >= 3', '!(context.age < 3)'],
    ['context.tier in ["a", "b"]', 'context.tier == "b" || (context.tier == "a")'],
    ['!(context.vip && context.age > 1)', 'context.age <= 1 || !context.vip'],
    ['context.age == 2 + 1', 'context.age == 2 + 1 && true'],
    ['context.vip && context.vip', 'context.vip ? true : false'],
    ['args.tags.size() > 1', '1 < size(args.tags)'],
    ['args.tags.all(a, a == "x")', 'args.tags.all(b, "x" == b)'],
  ])('%s and %s are one', (left, right) => expect(canonicalOf(left)).toBe(canonicalOf(right)));

  test.each([
    ['context.tier == "a"', 'context.tier == "b"'],
    ['context.age > 3', 'context.age >= 3'],
    ['context.vip && context.age > 1', 'context.vip || context.age > 1'],
    ['args.tags.all(a, a == "x")', 'args.tags.exists(a, a == "x")'],
    ['args.tags.all(a, a == "z a")', 'args.tags.all(b, b == "z b")'],
  ])('%s and %s are two', (left, right) => expect(canonicalOf(left)).not.toBe(canonicalOf(right)));

  test.each([
    'true',
    '1 + 1 == 2',
    'context.vip || !context.vip',
    'context.tier == context.tier',
    'context.tier == "a" || context.tier != "a"',
    'context.age < 5 || context.age >= 5',
    '!(context.vip && context.tier == "a") || context.vip',
    'context.vip ? true : !context.vip',
    '"a" == "a" || context.vip',
  ])('%s is true whatever is asked', (source) =>
    expect(compile(source)).toMatchObject({ ok: true, constant: true, canonical: 'true' }),
  );

  test.each([
    'false',
    '1 > 2',
    'context.vip && !context.vip',
    'context.age < 5 && context.age >= 5',
    'context.tier != context.tier',
    'context.tier in []',
  ])('%s is never true', (source) =>
    expect(compile(source)).toMatchObject({ ok: true, constant: false, canonical: 'false' }),
  );

  test('a choice inside the test of a choice does not blow up', () => {
    const nested = Array.from({ length: 25 }).reduce<string>(
      (source) => `(${source} ? context.vip : context.age > 1)`,
      'context.vip',
    );
    expect(compile(nested)).toMatchObject({ ok: true });
  });

  test('conditions with one canonical form give one answer', () => {
    const atom = fc.constantFrom(
      'context.vip',
      'context.age > 3',
      'context.age <= 3',
      'context.tier == "a"',
      'context.tier != "a"',
      'true',
      'false',
    );
    const { source } = fc.letrec<{ source: string }>((tie) => ({
      source: fc.oneof(
        { depthSize: 'small' },
        atom,
        fc.tuple(tie('source'), tie('source')).map(([a, b]) => `(${a} && ${b})`),
        fc.tuple(tie('source'), tie('source')).map(([a, b]) => `(${a} || ${b})`),
        tie('source').map((a) => `!(${a})`),
      ),
    }));
    const context = fc.record({
      vip: fc.boolean(),
      age: fc.integer({ min: 2, max: 5 }),
      tier: fc.constantFrom('a', 'b'),
      score: fc.constant(1),
    });
    fc.assert(
      fc.property(source, context, (from, given) => {
        const condition = compileCondition(from, { attributes });
        if (!condition.ok) throw new Error(from);
        const again = compileCondition(condition.canonical, { attributes });
        if (!again.ok) throw new Error(condition.canonical);
        expect(again.evaluate({ context: given })).toBe(condition.evaluate({ context: given }));
      }),
    );
  });
});
