import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ArgsChange,
  describeChange,
  diffArgs,
  diffRedacted,
  mergeRedacted,
} from '../../../../src/domain/decision/args-diff.ts';
import { parseRedactPath, REDACTED, redact } from '../../../../src/domain/decision/redact.ts';

const redactionsOf = (...paths: string[]) => paths.map(parseRedactPath);
const redactions = redactionsOf('passengers[].dob', 'card', 'payer.address.street', 'codes[]');
const shownOf = (args: Record<string, unknown>) => redact({ redactions }, args);
const original = {
  who: 'mia',
  card: { no: '4111' },
  passengers: [
    { name: 'Mia', dob: '1990-01-01' },
    { name: 'Leo', dob: '2015-05-05' },
  ],
  payer: { address: { street: 'A 1', city: 'B' } },
  codes: [7, 8],
};

describe('diffArgs()', () => {
  test('names every place that differs, keys in canonical order, lists by index', () => {
    const before = { b: 1, flights: [{ no: 'HAT1', day: 1 }], gone: null, same: [1, { x: 'y' }] };
    const after = {
      same: [1, { x: 'y' }],
      flights: [{ day: 1, no: 'HAT2' }, { no: 'HAT3' }],
      b: '1',
      a: true,
    };
    expect(diffArgs(before, after)).toEqual([
      { path: 'a', after: true, sign: '+' },
      { path: 'b', before: 1, after: '1', sign: '~' },
      { path: 'flights[0].no', before: 'HAT1', after: 'HAT2', sign: '~' },
      { path: 'flights[1]', after: { no: 'HAT3' }, sign: '+' },
      { path: 'gone', before: null, sign: '-' },
    ]);
  });

  test.each([
    [{ x: [] }, { x: {} }, '~'],
    [{ x: [1] }, { x: { 0: 1 } }, '~'],
    [{ x: null }, {}, '-'],
    [{}, { x: null }, '+'],
    [{ x: 0 }, { x: false }, '~'],
    [{ 'user id': 1 }, { 'user id': 2 }, '~'],
  ])('%j against %j is one change', (before, after, sign) => {
    expect(diffArgs(before, after).map((change) => change.sign)).toEqual([sign]);
  });

  test('items after the tenth stay in their order', () => {
    const list = Array.from({ length: 12 }, (_, at) => at);
    const paths = diffArgs({ list }, { list: list.map((item) => item + 1) }).map(({ path }) => path);
    expect(paths).toEqual(list.map((at) => `list[${at}]`));
  });

  const objects = fc.dictionary(fc.string(), fc.jsonValue());
  test('is empty exactly for equal arguments', () => {
    fc.assert(
      fc.property(objects, objects, (a, b) => {
        expect(diffArgs(a, structuredClone(a))).toEqual([]);
        const [one, other] = [a, b].map((value) => JSON.parse(JSON.stringify(value)));
        if (diffArgs(one, other).length === 0) expect(one).toEqual(other);
      }),
    );
  });

  test('tells a member of the prototype from a member', () => {
    expect(diffArgs({}, { constructor: 1 })).toEqual([{ path: 'constructor', after: 1, sign: '+' }]);
  });
});

describe('diffRedacted()', () => {
  test('tells that a redacted value changed, not into what', () => {
    const after = structuredClone(original);
    after.card.no = '4222';
    (after.passengers[1] as { dob: string }).dob = '2016-06-06';
    expect(diffRedacted(original, after, redactions)).toEqual([
      { path: 'card', before: REDACTED, after: REDACTED, sign: '~' },
      { path: 'passengers[1].dob', before: REDACTED, after: REDACTED, sign: '~' },
    ]);
    expect(diffRedacted(original, structuredClone(original), redactions)).toEqual([]);
  });

  test('no redacted value ever appears in a difference', () => {
    const hide = (value: unknown): unknown => `SECRET ${JSON.stringify(value)}`;
    const argsArb = fc
      .tuple(fc.jsonValue(), fc.array(fc.jsonValue(), { maxLength: 3 }), fc.boolean())
      .map(([card, dobs, odd]) => ({
        card: hide(card),
        who: 'x',
        passengers: odd ? hide(dobs) : dobs.map((dob) => ({ name: 'n', dob: hide(dob) })),
        payer: { address: { street: hide(card), city: dobs.length } },
        codes: dobs.map(hide),
      }));
    fc.assert(
      fc.property(argsArb, argsArb, fc.integer({ min: 5, max: 200 }), (before, after, max) => {
        const changes = [
          ...diffRedacted(before, after, redactions),
          ...diffArgs(shownOf(before), shownOf(after)),
        ];
        expect(JSON.stringify(changes)).not.toContain('SECRET');
        for (const change of changes) expect(describeChange(change, max)).not.toContain('SECRET');
      }),
    );
  });
});

describe('describeChange()', () => {
  test.each<[ArgsChange, string]>([
    [{ path: 'flights[0].no', before: 'HAT1', after: 'HAT2', sign: '~' }, '~ flights[0].no: "HAT1" → "HAT2"'],
    [{ path: 'a', after: { c: 1, b: [null] }, sign: '+' }, '+ a: {"b":[null],"c":1}'],
    [{ path: 'a', before: 1.5, sign: '-' }, '- a: 1.5'],
    [
      { path: 'a', before: 'x\u202e\n', after: 'y\u2028\u3164', sign: '~' },
      '~ a: "x\\u{202e}\\n" → "y\\u{2028}\\u{3164}"',
    ],
  ])('%j', (change, line) => expect(describeChange(change, 200)).toBe(line));

  test('two long texts are cut to where they begin to differ', () => {
    const same = 'x'.repeat(300);
    const line = describeChange(
      { path: 'note', before: `${same}A tail`, after: `${same}B tail`, sign: '~' },
      60,
    );
    expect(line).toBe('~ note: …xxxxxxxxA tail" → …xxxxxxxxB tail"');
  });

  test('a short value leaves its room to a long one', () => {
    const line = describeChange({ path: 'n', before: 'a', after: 'y'.repeat(99), sign: '~' }, 40);
    expect(line).toBe(`~ n: "a" → "${'y'.repeat(27)}…`);
    expect(line).toHaveLength(40);
  });

  test('is one line, never longer than asked, and says so when it is cut', () => {
    const changeArb = fc.record({
      path: fc.string({ maxLength: 20 }),
      before: fc.jsonValue(),
      after: fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary', minLength: 50 })),
      sign: fc.constantFrom('+' as const, '-' as const, '~' as const),
    });
    fc.assert(
      fc.property(changeArb, fc.integer({ min: 1, max: 120 }), (change, max) => {
        const line = describeChange(change, max);
        expect(line.length).toBeLessThanOrEqual(max);
        expect(line).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029\p{Surrogate}]/u);
        const whole = describeChange(change, 1_000_000);
        if (whole.length > max) expect(line).toContain('…');
        else expect(line).toBe(whole);
      }),
    );
  });
});

describe('mergeRedacted()', () => {
  const merge = (change: (shown: typeof original) => void) => {
    const shown = shownOf(original) as typeof original;
    change(shown);
    return mergeRedacted(shown, original, redactions);
  };

  test('puts back what was left redacted and takes the rest as edited', () => {
    const merged = merge((shown) => {
      shown.who = 'leo';
      Object.assign(shown.passengers[0] ?? {}, { name: 'Maya' });
      Object.assign(shown.passengers[1] ?? {}, { dob: '2015-05-06' });
      shown.codes[0] = 9;
    });
    expect(merged).toEqual({
      ok: true,
      args: {
        ...original,
        who: 'leo',
        passengers: [
          { name: 'Maya', dob: '1990-01-01' },
          { name: 'Leo', dob: '2015-05-06' },
        ],
        codes: [9, 8],
      },
    });
  });

  test.each<[string, (shown: typeof original) => void, string]>([
    ['to another place', (shown) => Object.assign(shown, { who: REDACTED }), '"who"'],
    ['to a new place', (shown) => Object.assign(shown, { backup: { card: REDACTED } }), '"backup.card"'],
    ['above where it was', (shown) => Object.assign(shown, { passengers: REDACTED }), '"passengers"'],
    ['below where it was', (shown) => Object.assign(shown, { card: { no: REDACTED } }), '"card.no"'],
    ['into other text', (shown) => Object.assign(shown, { card: ` ${REDACTED}` }), '"card"'],
    ['into a new list', (shown) => Object.assign(shown, { who: [REDACTED] }), '"who[0]"'],
    ['with its item to another index', (shown) => shown.passengers.reverse(), '"passengers"'],
    ['up, its neighbour removed', (shown) => shown.passengers.shift(), '"passengers"'],
    ['into one more item', (shown) => shown.passengers.push({ name: 'Ann', dob: REDACTED }), '"passengers"'],
    ['nowhere, but which one of the list is gone', (shown) => shown.codes.pop(), '"codes"'],
  ])('refuses a marker brought %s', (_, change, place) => {
    const merged = merge(change);
    expect(merged).toMatchObject({ ok: false, message: expect.stringContaining(place) });
    expect(JSON.stringify(merged)).not.toMatch(/1990|2015|4111|A 1/);
  });

  test('lets two items become alike, and items without a redacted value come and go', () => {
    const alike = merge((shown) => Object.assign(shown.passengers[0] ?? {}, { name: 'Leo' }));
    expect(alike).toMatchObject({
      ok: true,
      args: { passengers: [{ dob: '1990-01-01' }, { dob: '2015-05-05' }] },
    });
    const emptied = merge((shown) => shown.passengers.splice(0, 2));
    expect(emptied).toMatchObject({ ok: true, args: { passengers: [] } });
  });

  const text = fc.oneof(fc.string(), fc.constantFrom(REDACTED, `a ${REDACTED}`, '__proto__', 'dob'));
  const jsonArb = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.constantFrom(null, true, 0, 1.5),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(
        fc.constantFrom('card', 'passengers', 'dob', 'payer', 'address', 'street', 'codes', 'x'),
        tie('value'),
      ),
    ),
  })).value;
  const argsArb = fc.dictionary(fc.constantFrom('card', 'passengers', 'payer', 'codes', 'note'), jsonArb);

  test('redacted arguments that nobody edited merge back exactly, whatever they are', () => {
    fc.assert(
      fc.property(argsArb, (args) => {
        expect(mergeRedacted(structuredClone(shownOf(args)), args, redactions)).toEqual({ ok: true, args });
      }),
      { numRuns: 500 },
    );
  });

  test('never gives a value to another item, whatever is dropped, turned around or emptied', () => {
    const passenger = (name: string, at: number) => ({ name, dob: `SECRET ${name} ${at}` });
    const lists = fc
      .array(fc.constantFrom('a', 'b', 'c'), { maxLength: 5 })
      .map((names) => names.map(passenger));
    const edits = fc.func(fc.constantFrom<unknown>(0, 0, 0, 'drop', { dob: REDACTED }));
    fc.assert(
      fc.property(lists, edits, fc.boolean(), (passengers, edit, reverse) => {
        const shown = shownOf({ passengers }).passengers as unknown[];
        const turned = reverse ? shown.toReversed() : shown;
        const edited = turned.map((item, at) => edit(at) || item).filter((item) => item !== 'drop');
        const merged = mergeRedacted({ passengers: edited }, { passengers }, redactions);
        if (!merged.ok) return;
        (merged.args.passengers as { name?: string; dob: string }[]).forEach(({ name, dob }, at) => {
          expect(dob).toBe(passengers[at]?.dob);
          if (name !== undefined) expect(dob).toContain(`SECRET ${name}`);
        });
      }),
      { numRuns: 500 },
    );
  });
});
