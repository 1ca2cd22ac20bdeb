import { describe, expect, test } from 'vitest';
import {
  checkEnvelope,
  compileEnvelope,
  type EnvelopeTool,
  suggestEnvelope,
} from '../../../../src/domain/decision/envelope.ts';

const text = { type: 'string' };
const ANY: EnvelopeTool = { args: { type: 'object' }, redact: [] };
const flight = { type: 'object', required: ['no'], properties: { no: text, date: text, meal: text } };
const BOOK: EnvelopeTool = {
  args: {
    type: 'object',
    required: ['user', 'flights', 'amount'],
    properties: {
      user: text,
      flights: { type: 'array', items: flight },
      amount: { type: 'number' },
      bags: { type: 'integer' },
      note: text,
      'gift-card': text,
      payer: { type: 'object', properties: { card: text, name: text } },
      passengers: {
        type: 'array',
        items: { type: 'object', required: ['name'], properties: { name: text, dob: text } },
      },
    },
  },
  redact: ['payer.card', 'passengers[].dob'],
};
const booking = { user: 'mia', flights: [{ no: 'HAT1' }], amount: 100 };

describe('suggestEnvelope()', () => {
  test('goes deep into objects and lists', () => {
    const args = { flights: [{ no: 'HAT1' }], ok: true, none: null };
    const required = { type: 'object', required: ['flights', 'ok', 'none'] };
    expect(suggestEnvelope(args, { args: required, redact: [] })).toEqual({
      text:
        'size(args) == 3 && size(args.flights) == 1 && size(args.flights[0]) == 1 && ' +
        'args.flights[0].no == "HAT1" && args.none == null && args.ok == true',
      open: [],
    });
  });

  test('says what the schema lets be absent, by the names it declares', () => {
    expect(suggestEnvelope(booking, BOOK)).toEqual({
      text:
        '!has(args.bags) && !has(args.note) && !has(args.passengers) && !has(args.payer) && ' +
        'args.amount >= 0 && args.amount <= 100 && size(args.flights) == 1 && ' +
        '[args.flights[0]].all(i, !has(i.date) && !has(i.meal)) && args.flights[0].no == "HAT1" && ' +
        'args.user == "mia"',
      open: ['gift-card'],
    });
  });

  test('names keys that are no identifiers by index', () => {
    const suggested = suggestEnvelope({ 'a "b"': { in: 'x' } }, ANY).text;
    expect(suggested).toBe(
      'size(args) == 1 && "a \\"b\\"" in args && size(args["a \\"b\\""]) == 1 && args["a \\"b\\""]["in"] == "x"',
    );
    expect(suggestEnvelope({ ...booking, 'gift-card': 'g' }, BOOK).text).toContain(
      'dyn(args)["gift-card"] == "g"',
    );
  });

  test('leaves what is redacted open and out of the text', () => {
    const args = {
      ...booking,
      payer: { card: '4111', name: 'Mia' },
      passengers: [{ name: 'Mia', dob: '1990' }, { name: 'Leo' }],
    };
    const { text: suggested, open } = suggestEnvelope(args, BOOK);
    expect(open).toEqual(['gift-card', 'passengers[].dob', 'payer.card']);
    expect(suggested).not.toMatch(/4111|1990/);
    expect(suggested).toContain('has(args.payer.card)');
    expect(suggested).toContain('[args.passengers[1]].all(i, !has(i.dob))');
    const matches = compileEnvelope(suggested, BOOK);
    const other = { ...args, payer: { card: '4222', name: 'Mia' } };
    expect([matches({ args }), matches({ args: other })]).toEqual(['true', 'true']);
  });

  test('the marker sent as text opens nothing', () => {
    const { text: suggested, open } = suggestEnvelope({ note: '[redacted]' }, ANY);
    expect(open).toEqual([]);
    expect(suggested).toContain('args.note == "[redacted]"');
  });

  test('a number stands for those between 0 and itself', () => {
    const matches = compileEnvelope(suggestEnvelope({ by: -5, up: 100 }, ANY).text, ANY);
    const truths = [
      { by: -5, up: 100 },
      { by: 0, up: 0 },
      { by: -4.5, up: 99.99 },
      { by: -6, up: 1 },
      { by: 1, up: 1 },
      { by: -1, up: -1 },
      { by: -1, up: 101 },
    ].map((args) => matches({ args }));
    expect(truths).toEqual(['true', 'true', 'true', 'false', 'false', 'false', 'false']);
  });

  test('tells an empty list from an empty object and an empty text', () => {
    const values = [[], {}, ''];
    for (const x of values) {
      const matches = compileEnvelope(suggestEnvelope({ x }, ANY).text, ANY);
      expect(values.filter((other) => matches({ args: { x: other } }) === 'true')).toEqual([x]);
    }
  });

  test('shortens nothing: what is too long, too deep or not expressible is for a person to write', () => {
    const deep = Array.from({ length: 40 }).reduce<unknown>((inside) => ({ a: inside }), 1);
    const nullable = {
      args: { type: 'object', properties: { x: { type: 'string', nullable: true } } },
      redact: [],
    };
    expect(suggestEnvelope({ note: 'x'.repeat(2_000) }, ANY)).toEqual({ text: '', open: [] });
    expect(suggestEnvelope({ deep }, ANY)).toEqual({ text: '', open: [] });
    expect(suggestEnvelope({ x: null }, nullable)).toEqual({ text: '', open: [] });
    expect(suggestEnvelope({ n: 1, list: Array(300).fill('') }, { ...ANY, redact: ['n'] })).toEqual({
      text: '',
      open: ['n'],
    });
  });

  test('suggests nothing when the schema hides a member from every condition', () => {
    const args = { ...booking, force: true };
    expect(suggestEnvelope(args, BOOK)).toEqual({ text: '', open: ['gift-card', 'force'] });
  });
});

describe('compileEnvelope()', () => {
  const matches = compileEnvelope('args.user == "mia"', BOOK);

  test('covers nothing with a member that the envelope cannot see', () => {
    expect(matches({ args: booking })).toBe('true');
    expect(matches({ args: { ...booking, force: true } })).toBe('error');
    expect(matches({ args: { ...booking, flights: [{ no: 'HAT1', force: true }] } })).toBe('error');
  });

  test('does not look for such members in what is redacted anyway', () => {
    const hidden = compileEnvelope('args.user == "mia"', { ...BOOK, redact: ['payer'] });
    const args = { ...booking, payer: { force: true } };
    expect([hidden({ args }), matches({ args })]).toEqual(['true', 'error']);
  });

  test('sees redacted values as the marker, so that nobody learns them by asking', () => {
    const args = { ...booking, payer: { card: '4111' } };
    const guess = compileEnvelope(
      'has(args.payer) && has(args.payer.card) && args.payer.card == "4111"',
      BOOK,
    );
    expect(guess({ args })).toBe('false');
  });

  test('covers nothing when it does not compile, or has no arguments', () => {
    expect(compileEnvelope('args.user ==', BOOK)({ args: booking })).toBe('error');
    expect(matches({})).toBe('error');
  });
});

describe('checkEnvelope()', () => {
  test.each([
    'args.user == "mia"',
    'args.amount <= 100',
    'args.amount < 1000 && args.flights.all(f, f.no.startsWith("HAT"))',
    'size(args.flights) <= 2 && !has(args.payer)',
    'args.user == "mia" && (!has(args.payer) || !has(args.payer.card))',
  ])('takes %s', (envelope) => {
    expect(checkEnvelope(envelope, BOOK, booking)).toBeUndefined();
  });

  test.each([
    ['', 'the envelope is empty. Write'],
    ['x'.repeat(2_001), 'the envelope is longer than 2000 characters. Name fewer'],
    ['args.user ==', 'the envelope is not valid: Unexpected token: EOF. Write a CEL expression'],
    ['args.usr == "mia"', 'There is no "usr" here. Did you mean "user"?'],
    ['args.note == "x"', '"note" may be absent. Ask first: has(args.note) && ...'],
    ['args.user', 'The condition gives string'],
    ['context.tier == "gold"', 'the envelope names context. Name args only'],
    ['args.user == "mia" && subject == "s"', 'the envelope names subject'],
    ['true', 'the envelope is always true. Compare'],
    ['args.amount <= 100 || true', 'the envelope is always true'],
    ['args.amount >= 100 || args.amount < 100', 'the envelope is always true'],
    ['args.amount > args.amount', 'the envelope is always false'],
    ['["a"].exists(args, args == "a")', 'does not depend on the arguments. Name args'],
    ['args.user == "leo"', 'is not true of this action itself. Begin with its own values'],
    ['args.flights[1].no == "HAT2"', 'fails on this action itself'],
    ['!has(args.note)', 'holds without any arguments too. Name a value'],
    [
      'has(args.payer) && has(args.payer.card) && args.payer.card > "4"',
      'names "payer.card", which is redacted',
    ],
    ['has(args.passengers) && args.passengers.all(p, has(p.name) && p.dob < "2")', 'redacted'],
    [
      'has(args.passengers) && dyn(args.passengers[0])["dob"] < "2"',
      'names "passengers.dob", which is redacted',
    ],
    ['has(args.passengers) && [args.passengers[0]].all(i, i.dob < "2")', 'names "passengers.dob"'],
  ])('%s: %s', (envelope, problem) => {
    expect(checkEnvelope(envelope, BOOK, booking)).toContain(problem);
  });

  test('answers a guess at a redacted value the same, right or wrong', () => {
    const loose: EnvelopeTool = { args: { type: 'object' }, redact: ['card'] };
    const answers = ['4111', '4222'].map((guess) =>
      [
        `args.exists(k, args[k] == "${guess}")`,
        `args == {"card": "${guess}"}`,
        `"card" in args && args["ca" + "rd"] == "${guess}"`,
        `[args].exists(a, a.card == "${guess}")`,
      ].map((envelope) => checkEnvelope(envelope, loose, { card: '4111' })),
    );
    expect(answers[0]).toEqual(answers[1]);
    for (const answer of answers.flat()) expect(answer).toBeDefined();
  });

  test('says that the schema hides a member, and never repeats a value', () => {
    const args = { ...booking, force: 'SECRET' };
    expect(checkEnvelope('args.user == "mia"', BOOK, args)).toMatch(
      /no envelope can see "force".*Declare it/,
    );
    expect(checkEnvelope('args.user == "leo"', BOOK, { ...booking, user: 'SECRET' })).not.toContain('SECRET');
  });
});
