import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CONDITION_LENGTH_MAX, compileCondition } from '../../../../src/domain/cel/cel.ts';
import {
  checkEnvelope,
  compileEnvelope,
  type EnvelopeTool,
  suggestEnvelope,
} from '../../../../src/domain/decision/envelope.ts';

type Args = Record<string, unknown>;
type Schema = Record<string, unknown>;

const HOSTILE = [
  '',
  '"',
  "'",
  '\\',
  '\\"',
  '`',
  '\n\r\t',
  '\u0000',
  '\u202e',
  '\u2028',
  '\u{e0001}',
  '😀',
  '" || true || "',
];
const textArb = fc.oneof(
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
  fc.constantFrom(...HOSTILE, '[redacted]', 'args', 'true', '{{x}}'),
);
const keyArb = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'flights',
    'no',
    'in',
    'true',
    'for',
    'size',
    'args',
    'i',
    'user-id',
    'constructor',
    'toString',
  ),
  textArb.filter((key) => key !== '__proto__'),
);
const numberArb = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0),
  fc.constantFrom(0, 0.1, 1e-7, -1e21, 2 ** 53, Number.MAX_SAFE_INTEGER),
);
const jsonArb = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    textArb,
    numberArb,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(keyArb, tie('value'), { maxKeys: 3 }),
  ),
})).value;
const argsArb = fc.dictionary(keyArb, jsonArb, { maxKeys: 4 }) as fc.Arbitrary<Args>;
const ANY: EnvelopeTool = { args: { type: 'object' }, redact: [] };

/** A schema and arguments that fit it: declared members that may be absent, lists of objects, maps. */
interface Typed {
  schema: Schema;
  value: fc.Arbitrary<unknown>;
}
const scalars: Typed[] = [
  { schema: { type: 'string' }, value: textArb },
  { schema: { type: 'integer' }, value: fc.maxSafeInteger() },
  { schema: { type: 'number' }, value: numberArb },
  { schema: { type: 'boolean' }, value: fc.boolean() },
  { schema: { enum: ['economy', 'business'] }, value: fc.constantFrom('economy', 'business') },
  { schema: { type: ['string', 'null'] }, value: fc.option(textArb) },
  { schema: {}, value: jsonArb },
];
const typedArb = fc.letrec<{ any: Typed; object: Typed }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(...scalars),
    tie('object'),
    tie('any').map(({ schema, value }) => ({
      schema: { type: 'array', items: schema },
      value: fc.array(value, { maxLength: 3 }),
    })),
    tie('any').map(({ schema, value }) => ({
      schema: { type: 'object', additionalProperties: schema },
      value: fc.dictionary(keyArb, value, { maxKeys: 2 }),
    })),
  ),
  object: fc.dictionary(keyArb, fc.tuple(tie('any'), fc.boolean()), { minKeys: 1, maxKeys: 4 }).map(objectOf),
}));

function objectOf(members: Record<string, [Typed, boolean]>): Typed {
  const entries = Object.entries(members);
  const required = entries.filter(([, [, needed]]) => needed).map(([key]) => key);
  const properties = Object.fromEntries(entries.map(([key, [member]]) => [key, member.schema]));
  const values = Object.fromEntries(entries.map(([key, [member]]) => [key, member.value]));
  return {
    schema: { type: 'object', required, properties },
    value: fc.record(values, { requiredKeys: required }),
  };
}

const toolAndArgsArb = typedArb.object.chain(({ schema, value }) =>
  value.map((args) => ({ tool: { args: schema, redact: [] } as EnvelopeTool, args: args as Args })),
);

/** Every way to change one text, bool or null, or to add or leave out one member or item. */
function* changesOf(value: unknown): Generator<unknown> {
  if (typeof value === 'string')
    yield* [`${value}x`, value.toUpperCase(), null, 1].filter((other) => other !== value);
  else if (typeof value === 'boolean') yield* [!value, String(value), null];
  else if (value === null) yield* ['', false, 0];
  else if (typeof value === 'number') yield* [String(value), null, true, ...(value < 1e300 ? [1e301] : [])];
  else if (Array.isArray(value)) {
    yield* [[...value, null], {}, ...(value.length > 0 ? [value.slice(1)] : [])];
    for (const [at, item] of value.entries())
      for (const other of changesOf(item)) yield value.with(at, other);
  } else if (typeof value === 'object') {
    const entries = Object.entries(value);
    yield { ...value, 'one more': 'x' };
    for (const [key, member] of entries) {
      yield Object.fromEntries(entries.filter(([other]) => other !== key));
      for (const other of changesOf(member)) yield { ...value, [key]: other };
    }
  }
}

function proveEnvelope(args: Args, tool: EnvelopeTool, fits: (args: unknown) => unknown): boolean {
  const { text, open } = suggestEnvelope(args, tool);
  if (text === '') return false;
  expect(text.length).toBeLessThanOrEqual(CONDITION_LENGTH_MAX);
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\u2028\u2029]/u);
  expect(checkEnvelope(text, tool, args)).toBeUndefined();
  const condition = compileCondition(text, { args: tool.args, attributes: { tier: 'string' } });
  expect(condition.ok && condition.evaluate({ args, context: {} })).toBe('true');
  const matches = compileEnvelope(text, tool);
  expect(matches({ args })).toBe('true');
  if (open.length > 0) return true;
  for (const changed of changesOf(args)) {
    if (!fits(changed)) continue;
    const truth = matches({ args: changed as Args });
    if (truth === 'true') throw new Error(`${text} is true of ${JSON.stringify(changed)}`);
  }
  return true;
}

const isSmall = (args: Args): boolean => JSON.stringify(args).length <= 120;

describe('suggestEnvelope(), whatever the arguments', () => {
  test('is true of its own arguments alone, without a schema', () => {
    fc.assert(
      fc.property(argsArb, (args) => {
        const suggested = proveEnvelope(args, ANY, () => true);
        if (isSmall(args)) expect(suggested).toBe(true);
      }),
      { numRuns: 100 },
    );
  });

  test('is true of its own arguments alone, with a schema', () => {
    // One for all: to make one costs far more than what is tested here.
    const ajv = new Ajv2020({ strict: false, ownProperties: true });
    const found = { suggested: 0, all: 0 };
    fc.assert(
      fc.property(toolAndArgsArb, ({ tool, args }) => {
        const fits = ajv.compile(tool.args);
        expect(fits(args)).toBe(true);
        found.all += 1;
        if (proveEnvelope(args, tool, fits)) found.suggested += 1;
      }),
      { numRuns: 100 },
    );
    expect(found.suggested / found.all).toBeGreaterThan(0.8);
  });

  test('never contains a redacted value, nor depends on it', () => {
    const secretArb = fc.uuid().map((id) => `SECRET-${id}`);
    const redact = ['card', 'people[].dob', 'payer.address'];
    fc.assert(
      fc.property(argsArb, secretArb, secretArb, (args, secret, other) => {
        const withSecret = (value: string): Args => ({
          ...args,
          card: value,
          people: [{ dob: value }, { dob: [value] }],
          payer: { address: { street: value } },
        });
        const tool = { args: { type: 'object' }, redact };
        const { text, open } = suggestEnvelope(withSecret(secret), tool);
        expect(text).not.toContain('SECRET');
        expect(open).toEqual(['card', 'payer.address', 'people[].dob'].toSorted());
        if (text === '') return;
        const matches = compileEnvelope(text, tool);
        expect(matches({ args: withSecret(other) })).toBe('true');
      }),
    );
  });

  test('lets numbers through from 0 to its own, and no other', () => {
    const value = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(value, value, (own, other) => {
        const matches = compileEnvelope(suggestEnvelope({ deep: [{ n: own }] }, ANY).text, ANY);
        const between = other >= Math.min(0, own) && other <= Math.max(0, own);
        expect(matches({ args: { deep: [{ n: other }] } })).toBe(String(between));
      }),
    );
  });
});
