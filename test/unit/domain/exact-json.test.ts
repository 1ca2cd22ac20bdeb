import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  JSON_DEPTH_MAX,
  JSON_MEMBERS_MAX,
  JSON_VALUES_MAX,
  parseExactJson,
} from '../../../src/domain/exact-json.ts';
import { heldMs } from '../../support/cpu.ts';

const refusals: [string, string, string][] = [
  ['duplicate keys', '{"a":{"b":1,"b":2}}', '$.a.b'],
  ['duplicate keys in another spelling', '{"a":1,"\\u0061":2}', '$.a'],
  ['an integer beyond 2^53-1', '{"id":[9007199254740992]}', '$.id[0]'],
  ['a negative integer beyond 2^53-1', '-9007199254740993', '$'],
  ['a large integer with an exponent', '1e20', '$'],
  ['a number too large for a double', '{"a":1e400}', '$.a'],
  ['a number too small for a double', '1e-400', '$'],
  ['a number with more digits than a double holds', '0.12345678901234567890', '$'],
  ['a lone high surrogate', '{"a":"\\ud83d"}', '$.a'],
  ['a lone low surrogate in a key', '{"\\ude00":1}', '$'],
  ['a raw lone surrogate', `"${String.fromCharCode(0xd83d)}x"`, '$'],
  ['the key __proto__', '{"__proto__":{"admin":true}}', '$.__proto__'],
];

describe('parseExactJson()', () => {
  test.each(refusals)('refuses %s and says where', (_, text, path) => {
    const result = parseExactJson(text);
    expect(result).toMatchObject({ ok: false, code: 'args_not_exact', path });
    if (!result.ok) expect(result.hint.length).toBeGreaterThan(5);
  });

  test.each([
    '',
    ' ',
    '{',
    '[1,]',
    '{"a":1,}',
    '{a:1}',
    "'a'",
    '01',
    '+1',
    '.5',
    '1.',
    'NaN',
    'tru',
    '"\t"',
    '"\\x"',
    '"\\u12g4"',
    '[1] 2',
    '{"a" 1}',
    '\ufeff1',
    '"',
    '-',
  ])('refuses %j, which is not JSON', (text) =>
    expect(parseExactJson(text)).toMatchObject({ ok: false, code: 'args_not_exact' }),
  );

  test.each([
    '0.10',
    '1.0',
    '1E2',
    '100e-2',
    '-0',
    '0e999',
    '9007199254740991',
    '1.5e-7',
    '0.1',
    '1e-10',
    '-12.50',
  ])('reads %s as JSON.parse does', (text) =>
    expect(parseExactJson(text)).toEqual({ ok: true, value: JSON.parse(text) + 0 }),
  );

  test('reads whatever JSON.stringify writes from safe values', () => {
    const safe = fc.jsonValue({ stringUnit: 'binary' });
    fc.assert(
      fc.property(safe, (value) => {
        const text = JSON.stringify(value);
        const result = parseExactJson(text);
        if (result.ok) expect(JSON.stringify(result.value)).toBe(text);
        else expect(text).toMatch(/__proto__|\\ud|\d{16}|e\+/i);
      }),
    );
  });

  test('never throws, and accepts nothing that JSON.parse refuses', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"',
      ':',
      ',',
      '1',
      '-',
      'e5',
      '.',
      'true',
      'null',
      ' ',
      '\\',
      '\\u00',
      'a',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (parts) => {
        const text = parts.join('');
        if (parseExactJson(text).ok) JSON.parse(text);
      }),
      { numRuns: 2_000 },
    );
  });

  test('refuses nesting beyond its limit, however deep', () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
    expect(parseExactJson(nested(JSON_DEPTH_MAX)).ok).toBe(true);
    expect(parseExactJson(nested(JSON_DEPTH_MAX + 1))).toMatchObject({
      ok: false,
      hint: 'Send flatter arguments',
    });
    expect(parseExactJson('['.repeat(1_000_000)).ok).toBe(false);
  });

  test('takes linear time on long text, numbers and lists', () => {
    const read = () => {
      expect(parseExactJson(`"${'\\n'.repeat(500_000)}"`).ok).toBe(true);
      expect(parseExactJson('9'.repeat(1_000_000)).ok).toBe(false);
      expect(parseExactJson(`0.${'0'.repeat(1_000_000)}1`).ok).toBe(false);
      expect(parseExactJson(`[${'1,'.repeat(JSON_VALUES_MAX - 2)}1]`).ok).toBe(true);
    };
    expect(heldMs(read)).toBeLessThan(1_000);
  });
});

test('more values than anybody looks through are refused, as are so many members of one object', () => {
  const list = (length: number) => `[${Array(length).fill('1').join()}]`;
  const map = (size: number) => `{${Array.from({ length: size }, (_, at) => `"k${at}":1`).join()}}`;
  expect(parseExactJson(list(JSON_VALUES_MAX - 1)).ok).toBe(true);
  expect(parseExactJson(map(JSON_MEMBERS_MAX)).ok).toBe(true);
  for (const text of [list(JSON_VALUES_MAX), `[${list(JSON_VALUES_MAX / 2)},${list(JSON_VALUES_MAX / 2)}]`])
    expect(parseExactJson(text)).toMatchObject({
      ok: false,
      message: expect.stringContaining('More than 50000 values'),
    });
  expect(parseExactJson(map(JSON_MEMBERS_MAX + 1))).toMatchObject({ ok: false, code: 'args_not_exact' });
});
