import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { JsonSchema } from '../../../../src/domain/schema/json-schema.ts';
import { compileSchema } from '../../../../src/domain/schema/schema.ts';
import { heldMs } from '../../../support/cpu.ts';
import { shuffledLetters } from '../../../support/seeded.ts';

function fits(schema: JsonSchema, value: unknown): boolean {
  const compiled = compileSchema(schema);
  if (!compiled.ok) throw new Error(compiled.problems[0]?.message);
  return compiled.misfit(value) === undefined;
}

describe('patterns', () => {
  const schema = {
    properties: { code: { pattern: '^[A-Z0-9]{6}$' }, name: { pattern: '^[a-z]+$' } },
    patternProperties: { '^n_': { type: 'number' }, '^t_': { type: 'string' } },
    additionalProperties: false,
  };

  test.each([
    [{ code: 'ABC123', name: 'ana' }, true],
    [{ code: 'ABC1234 ; drop everything' }, false],
    [{ code: 'ana' }, false],
    [{ name: 'ABC123' }, false],
    [{ n_a: 1, t_a: 'x' }, true],
    [{ n_a: 'x' }, false],
    [{ t_a: 1 }, false],
    [{ x_a: 1 }, false],
  ])('each binds its own place: %o fits: %s', (value, expected) => {
    expect(fits(schema, value)).toBe(expected);
  });

  test('two schemas with other patterns do not share one', () => {
    const one = compileSchema({ pattern: '^a+$' });
    const two = compileSchema({ pattern: '^b+$' });
    expect([one, two].map((each) => each.ok && each.misfit('aa') === undefined)).toEqual([true, false]);
  });

  test.each([
    ['^(a+)+$', `${'a'.repeat(300_000)}!`, false],
    ['^(a+)+$', 'a'.repeat(300_000), true],
    ['^(a|a)*$', `${'a'.repeat(300_000)}!`, false],
    ['(x+x+)+y', 'x'.repeat(300_000), false],
  ])('%s takes linear time on 300,000 characters', (pattern, text, expected) => {
    expect(heldMs(() => expect(fits({ pattern }, text)).toBe(expected))).toBeLessThan(100);
  });

  test.each([
    ['^(?:a?){500}a{500}$', 'a'.repeat(1_000_000)],
    // More states than any machine keeps.
    ['(?:[ab]*a[ab]{15})$', `${shuffledLetters(1_000_000)}c`],
  ])('a text that is too much work for %s is refused in time', (pattern, text) => {
    const compiled = compileSchema({ pattern });
    const check = () =>
      expect(compiled.ok && compiled.misfit(text)).toBe('args are too much to check against the schema');
    expect(heldMs(check)).toBeLessThan(100);
  });

  test.each([
    ['^\\S+$', 'no-break\u00a0space', false],
    ['^[^\\s]+$', 'no-break\u00a0space', false],
    ['^[\\s\\S]+$', 'a\u00a0\n', true],
    ['^[\\S]+$', 'a\u3000b', false],
    ['^.$', '\r', false],
    ['^.$', '\u2028', false],
    ['^\\u0041\\u{1F600}$', 'A😀', true],
    ['^\\ud83d\\ude00$', '😀', true],
    ['^\\p{Letter}+$', 'héé', true],
    ['^\\d+$', '٣', false],
    ['^a$', 'a\n', false],
  ])('%s means to %j what ECMAScript means by it', (pattern, text, expected) => {
    expect(new RegExp(pattern, 'u').test(text)).toBe(expected);
    expect(fits({ pattern }, text)).toBe(expected);
  });
});

describe('formats', () => {
  test.each([
    ['email', 'ana@example.com', 'attacker@evil.com\r\nBcc: a@ours.com'],
    ['email', 'a.b+c@mail.example.com', '"a@evil.com,"@ours.com'],
    ['email', 'ana@example.com', 'ana@example.com\n'],
    ['date', '2024-02-29', '2026-02-30'],
    ['date', '2026-11-29', '2026-11-29T00:00:00Z'],
    ['date-time', '2026-11-29T10:00:00.5+05:30', '2026-11-29 10:00'],
    ['date-time', '2026-11-29T10:00:00Z', '2026-11-29T24:00:00Z'],
    ['time', '10:00:00Z', '25:00:00Z'],
    ['duration', 'P1DT2H', '1 day'],
    ['uri', 'https://example.com/a?b#c', 'javascript alert(1)'],
    ['uri-reference', '/a/b', '\\a'],
    ['hostname', 'a.example.com', 'a_b..c'],
    ['ipv4', '10.0.0.1', '10.0.0.256'],
    ['ipv6', '::1', ':::1'],
    ['uuid', '2EB8AA08-AA98-11EA-B4AA-73B441D16380', 'urn:uuid:2eb8aa08-aa98-11ea-b4aa-73b441d16380'],
    ['byte', 'QUJD', 'QUJD\n!!'],
    ['int32', 2 ** 31 - 1, 2 ** 31],
    ['regex', '^a+$', '('],
  ])('%s lets %j through and not %j', (format, good, bad) => {
    expect(fits({ format }, good)).toBe(true);
    expect(fits({ format }, bad)).toBe(false);
  });

  test.each(['email', 'uri', 'hostname', 'date-time', 'ipv6', 'byte', 'regex', 'json-pointer'])(
    '%s is checked in time, however long the text',
    (format) => {
      for (const part of ['a', '1', ':', '/a', 'a@', '%41', '.', '((', 'a.']) {
        const text = part.repeat(1_000_000 / part.length);
        expect(heldMs(() => fits({ format }, text))).toBeLessThan(100);
      }
    },
  );
});

describe('multipleOf', () => {
  test.each([
    [19.99, 0.01, true],
    [1.13, 0.01, true],
    [19.999, 0.01, false],
    [0.3, 0.1, true],
    [1e21, 7, false],
    [7e21, 7, true],
    [1e-7, 1e-8, true],
    [1.5e-8, 1e-8, false],
    [0, 0.01, true],
    [-4.02, 0.02, true],
    [9_007_199_254_740_991, 0.001, true],
  ])('%d is a multiple of %d: %s', (value, multipleOf, expected) => {
    expect(fits({ multipleOf }, value)).toBe(expected);
  });

  test('is exact for every amount of cents, and for none with a tenth of a cent', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1_000_000_000, max: 1_000_000_000 }),
        fc.integer({ min: 1, max: 9 }),
        (cents, more) => {
          const sign = cents < 0 ? '-' : '';
          const digits = String(Math.abs(cents)).padStart(3, '0');
          const amount = `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`;
          expect(fits({ multipleOf: 0.01 }, Number(amount))).toBe(true);
          expect(fits({ multipleOf: 0.01 }, Number(`${amount}${more}`))).toBe(false);
        },
      ),
    );
  });
});

describe('references', () => {
  test('a schema may refer to itself', () => {
    const tree = {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string' }, children: { type: 'array', items: { $ref: '#' } } },
    };
    expect(fits(tree, { name: 'a', children: [{ name: 'b', children: [] }] })).toBe(true);
    expect(fits(tree, { name: 'a', children: [{ name: 1 }] })).toBe(false);
  });

  test('one that leads round in a circle fits nothing, and ends', () => {
    expect(
      fits({ $defs: { a: { $ref: '#/$defs/b' }, b: { $ref: '#/$defs/a' } }, $ref: '#/$defs/a' }, {}),
    ).toBe(false);
  });
});

const thousand = Array.from({ length: 1_000 }, (_, at) => ({ at }));
const nested = { items: { items: { items: { items: { type: 'integer' } } } } };

describe('what checking may take', () => {
  const objects = (count: number, same?: number) =>
    Array.from({ length: count }, (_, at) => ({
      id: at === same ? 0 : at,
      name: `customer ${at === same ? 0 : at}`,
    }));

  test.each([
    ['unique', objects(20_000), true],
    ['the last like the first', objects(20_000, 19_999), false],
  ])('uniqueItems of 20,000 objects, %s, is told within 100 ms', (_what, list, expected) => {
    expect(heldMs(() => expect(fits({ uniqueItems: true }, list)).toBe(expected))).toBeLessThan(100);
  });

  test('uniqueItems compares by value: order of members and 1.0 do not matter', () => {
    expect(
      fits({ uniqueItems: true }, [
        { a: 1, b: 2 },
        { b: 2, a: 1.0 },
      ]),
    ).toBe(false);
    expect(fits({ uniqueItems: true }, [1, '1', true, 'true', null, 'null', [1], { 0: 1 }])).toBe(true);
  });

  test('a schema whose forms multiply refuses what it cannot check in time', () => {
    const schema = {
      $defs: {
        node: {
          anyOf: [{ items: { $ref: '#/$defs/node' }, maxItems: 1 }, { items: { $ref: '#/$defs/node' } }],
        },
      },
      $ref: '#/$defs/node',
    };
    let deep: unknown = 1;
    for (let depth = 0; depth < 60; depth++) deep = [deep];
    const compiled = compileSchema(schema);
    const check = () =>
      expect(compiled.ok && compiled.misfit(deep)).toBe('args are too much to check against the schema');
    expect(heldMs(check)).toBeLessThan(100);
  });

  test.each([
    [
      'an enum of a thousand objects',
      { items: { enum: thousand } },
      Array.from({ length: 20_000 }, () => ({ at: 999 })),
    ],
    ['130,000 nested lists', nested, Array.from({ length: 130_000 }, () => [[[1]]])],
    ['a text of a megabyte', { maxLength: 600_000, minLength: 500_001 }, '😀'.repeat(500_000)],
  ])('%s is told in time', (_what, schema, value) => {
    expect(heldMs(() => fits(schema, value))).toBeLessThan(100);
  });
});

test('what does not fit is told without its value', () => {
  const compiled = compileSchema({
    properties: { card: { pattern: '^x$' }, map: { additionalProperties: { type: 'integer' } } },
  });
  const told = (value: unknown) => compiled.ok && compiled.misfit(value);
  expect(told({ card: '4111 1111' })).toBe('args/card must match pattern "^x$"');
  expect(told({ map: { 'ana@example.com': 'x' } })).toBe('args/map/* must be integer');
});
