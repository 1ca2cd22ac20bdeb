import { describe, expect, test } from 'vitest';
import { compileCondition } from '../../../../src/domain/cel/cel.ts';
import { Meter } from '../../../../src/domain/schema/meter.ts';
import { heldMs } from '../../../support/cpu.ts';

const text = { type: 'string' };
const args = {
  type: 'object',
  required: ['at', 'amount', 'price', 'l', 'names', 'people', 'labels'],
  properties: {
    at: text,
    amount: { type: 'integer' },
    price: { type: 'number' },
    l: { type: 'array', items: { type: 'integer' } },
    names: { type: 'array', items: text },
    people: {
      type: 'array',
      items: { type: 'object', required: ['tags'], properties: { tags: { type: 'array', items: text } } },
    },
    labels: { type: 'object', additionalProperties: { type: 'integer' } },
  },
};
const given = {
  at: '',
  amount: 1,
  price: 1,
  l: [1, 2, 3],
  names: ['a'],
  people: [{ tags: ['vip'] }],
  labels: { a: 1 },
};

function evaluate(source: string, more: Record<string, unknown> = {}): string {
  const condition = compileCondition(source, { args, attributes: {} });
  if (!condition.ok) return condition.problems.map(({ message }) => message).join('; ');
  return condition.evaluate({ args: { ...given, ...more }, context: {} });
}

describe('times', () => {
  test.each([
    '2026-02-30T00:00:00Z',
    '2026-02-28 00:00:00Z',
    '2026-02-28T24:00:00Z',
    '2026-02-28T23:60:00Z',
    '2026-13-01T00:00:00Z',
    '2026-02-28T00:00:00',
    '2026-02-28T00:00:00+24:00',
    '2026-02-28t00:00:00z',
    '2026-2-28T00:00:00Z',
    '0000-01-01T00:00:00Z',
    '28 Feb 2026 00:00:00 UTC',
    '',
  ])('%j is none: the condition errs', (at) => {
    expect(evaluate('timestamp(args.at) > timestamp("2020-01-01T00:00:00Z")', { at })).toBe('error');
  });

  test.each([
    ['timestamp("2026-02-28T23:30:00-01:00") == timestamp("2026-03-01T00:30:00Z")', 'true'],
    ['timestamp("2024-02-29T00:00:00Z").getDayOfYear() == 59', 'true'],
    ['timestamp("0050-03-01T00:00:00Z").getFullYear() == 50', 'true'],
    ['timestamp("2026-07-01T12:00:00Z").getHours("Europe/Berlin") == 14', 'true'],
    ['timestamp("2026-07-01T12:00:00Z").getHours("-09:30") == 2', 'true'],
    ['timestamp("2026-07-01T12:00:00Z").getHours("Mars/Olympus") == 2', 'error'],
    ['timestamp("2026-01-01T00:00:00.000000001Z") > timestamp("2026-01-01T00:00:00Z")', 'true'],
    ['timestamp("9999-12-31T23:59:59Z") + duration("1s") > timestamp("2026-01-01T00:00:00Z")', 'error'],
    ['duration("1h30m") == duration("90m")', 'true'],
    ['duration("s") == duration("0s")', 'error'],
    ['duration("1.2.3s") == duration("0s")', 'error'],
    ['duration(" 1s") == duration("1s")', 'error'],
  ])('%s is %s', (source, truth) => expect(evaluate(source)).toBe(truth));
});

describe('numbers and texts', () => {
  test.each([
    ['int("") == 0', 'error'],
    ['int("0x10") == 16', 'error'],
    ['int("0b11") == 3', 'error'],
    ['int(9223372036854775807.0) > 0', 'error'],
    ['double("0x10") == 16.0', 'error'],
    ['double("") == 0.0', 'error'],
    ['double("1e999") > 0.0', 'error'],
    ['args.amount * 9223372036854775807 * 2 > 0', 'error'],
    ['-(args.amount * -9223372036854775807 - 1) > 0', 'error'],
    ['(args.amount * -9223372036854775807 - 1) / -1 > 0', 'error'],
    ['-3 % 5 == -3', 'true'],
    ['"\\uffff" < "\\U00010000"', 'true'],
    ['"ÆA".lowerAscii() == "Æa"', 'true'],
    ['"😀a".substring(1) == "a"', 'true'],
    ['"😀a".indexOf("a") == 1', 'true'],
    ['size("😀a") == 2', 'true'],
    ['args.price > 0.00000000001', 'true'],
    ['{"a": 1, "a": 2}["a"] == 1', 'error'],
  ])('%s is %s', (source, truth) => expect(evaluate(source)).toBe(truth));

  test('conditions that differ in a small number are not the same', () => {
    const canonical = (source: string) => {
      const condition = compileCondition(source, { args, attributes: {} });
      return condition.ok && condition.canonical;
    };
    expect(canonical('args.price > 0.00000000001')).not.toBe(canonical('args.price > 0.00000000002'));
    expect(canonical('args.price > 0.00000000001')).not.toBe(canonical('args.price > 0.0'));
  });
});

describe('a condition is refused', () => {
  test.each([
    ['args.l.all(x, x in args.l)', '"in" over a list of the request inside a list walk'],
    ['args.l.exists(x, x in args.l.filter(y, y > 1))', 'A list walk inside a list walk'],
    ['args.names.all(x, x in args.at.split(","))', '"in" over a list of the request inside a list walk'],
    ['args.names.all(x, x in dyn(args).names)', '"in" over a list of the request inside a list walk'],
    ['args.names.all(x, x in (args.amount > 1 ? args.names : ["a"]))', '"in" over a list of the request'],
    ['args.l.all(x, uint(x) == uint(1))', 'There is no function uint() here'],
    ['b"a" == b"a"', 'Bytes are not known here'],
    ['1u == 1u', 'Unsigned numbers are not known here'],
    ['args.amount < 9223372036854775808', 'The number is too large for an int'],
    ['args.at.startWith("a")', 'There is no function startWith() here'],
  ])('%s', (source, message) => expect(evaluate(source)).toContain(message));

  test.each([
    ['args.names.all(x, x in ["a", "b"])', 'true'],
    ['args.names.all(x, x in args.labels)', 'true'],
    ['args.people.all(p, "vip" in p.tags)', 'true'],
    ['1 in args.l', 'true'],
  ])('but not %s', (source, truth) => expect(evaluate(source)).toBe(truth));

  test('when the sizes that its schema declares could never be looked at', () => {
    const sized = (maxItems: number) => ({
      type: 'object',
      required: ['l'],
      properties: { l: { type: 'array', maxItems, items: { type: 'string', maxLength: 100 } } },
    });
    const compile = (maxItems: number) =>
      compileCondition('args.l.all(x, x.endsWith("@a.com") || x.endsWith("@b.com"))', {
        args: sized(maxItems),
        attributes: {},
      });
    expect(compile(1_000).ok).toBe(true);
    const condition = compile(1_000_000);
    expect(condition.ok ? '' : condition.problems[0]).toMatchObject({
      message: expect.stringMatching(/^It could take \d+ steps for what the schema allows/),
      hint: 'Declare a smaller maxItems or maxLength, or look at fewer values',
    });
  });
});

describe('what a condition may take of one request', () => {
  const many = Array.from({ length: 500_000 }, (_, at) => at);
  const long = 'x'.repeat(1_000_000);
  test.each([
    ['args.l.all(x, x >= 0 && x < 1000000 && x * 2 + 1 > x)', { l: many }],
    ['-1 in args.l || args.l.exists(x, x == -1)', { l: many }],
    ['args.names.exists(n, (args.at + args.at).contains(n))', { names: Array(10_000).fill('y'), at: long }],
    ['args.names.all(n, re2(args.at, "(a|b)*c$") || n == "")', { names: Array(10_000).fill('y'), at: long }],
    ['args.names.all(n, args.at.indexOf(n) < 0)', { names: Array(10_000).fill('xy'), at: long }],
    ['args.l.all(x, 1 / (x - x) == 1) || true', { l: many }],
    ['args.l.map(x, args.l + args.l).size() > 0', { l: many.slice(0, 10_000) }],
  ])('%s ends in time on whatever is sent', (source, more) => {
    expect(heldMs(() => expect(['true', 'false', 'error']).toContain(evaluate(source, more)))).toBeLessThan(
      150,
    );
  });

  test('all conditions of a request share it: what is left decides, and nothing left is an error', () => {
    const condition = compileCondition('args.l.all(x, x >= 0)', { args, attributes: {} });
    const meter = new Meter(700);
    const truth = () =>
      condition.ok && condition.evaluate({ args: { ...given, l: Array(100).fill(1) }, context: {}, meter });
    expect([truth(), truth(), truth()]).toEqual(['true', 'error', 'error']);
  });
});
