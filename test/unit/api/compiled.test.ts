import fc, { type Arbitrary } from 'fast-check';
import {
  serializerCompiler as zodSerializer,
  validatorCompiler as zodValidator,
} from 'fastify-type-provider-zod';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { isExact, serializerCompiler, validatorCompiler } from '../../../src/api/compiled.ts';
import { begunSchema } from '../../../src/api/routes/action-verbs.ts';
import { askedSchema, askSchema } from '../../../src/api/routes/actions.ts';
import { actionDetailSchema, actionSchema, textSchema } from '../../../src/api/schemas.ts';

const BUSY = { method: 'POST', url: '/v1/actions' };
const QUIET = { method: 'GET', url: '/v1/agents' };
const RUNS = { numRuns: 500 };

type Schema = z.core.$ZodType;

const reading = (schema: Schema) => ({
  compiled: validatorCompiler({ ...BUSY, schema, httpPart: 'body' }),
  byZod: zodValidator({ ...BUSY, schema, httpPart: 'body' }),
});
const writing = (schema: Schema) => ({
  compiled: serializerCompiler({ ...BUSY, schema, httpStatus: '200' }),
  byZod: zodSerializer({ ...BUSY, schema, httpStatus: '200' }),
});

// --- Values -------------------------------------------------------------------------------------------------

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom('', '\0', 'a\0b', '\ud800', '"\\\n\u2028', '😀'.repeat(200), 'x'.repeat(201)),
);
const key = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'));
/** As JSON gives it: own members whatever they are called. */
const anything: Arbitrary<unknown> = fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }).chain((value) =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant(value) },
    {
      weight: 1,
      arbitrary: key.map((name) => JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`)),
    },
    { weight: 1, arbitrary: fc.constantFrom(undefined, null, [], {}, 0, -0, 1.5, 2 ** 53, true, '') },
  ),
);

interface Def {
  type: string;
  format?: string;
  pattern?: RegExp;
  shape?: Record<string, Schema>;
  element?: Schema;
  valueType?: Schema;
  innerType?: Schema;
  options?: Schema[];
  entries?: Record<string, string>;
  values?: unknown[];
}

/** Mostly what the schema takes; here and there something else. */
function near(schema: Schema, wrong: number): Arbitrary<unknown> {
  const right = rightFor(schema, wrong);
  return fc.oneof(
    { weight: wrong === 0 ? 1 : 100, arbitrary: right },
    { weight: wrong, arbitrary: anything },
  );
}

function rightFor(schema: Schema, wrong: number): Arbitrary<unknown> {
  const { def } = schema._zod as unknown as { def: Def };
  const of = (inner: Schema | undefined) => (inner ? near(inner, wrong) : fc.constant(undefined));
  switch (def.type) {
    case 'string':
      if (def.format === 'datetime')
        return fc
          .date({ noInvalidDate: true, min: new Date(0), max: new Date('2099-01-01') })
          .map((at) => at.toISOString());
      if (def.format === 'uuid') return fc.uuid({ version: 4 });
      return wrong === 0
        ? fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }).map((one) => one.replaceAll('\0', '-'))
        : fc.oneof(
            { weight: 9, arbitrary: fc.stringMatching(/^[a-z0-9é😀"\\]{1,20}$/u) },
            { weight: 1, arbitrary: text },
          );
    case 'number':
      return fc.integer({ min: 0, max: 1_000 });
    case 'boolean':
      return fc.boolean();
    case 'enum':
      return fc.constantFrom(...Object.values(def.entries ?? {}));
    case 'literal':
      return fc.constantFrom(...(def.values ?? []));
    case 'unknown':
      return fc.jsonValue({ maxDepth: 2 });
    case 'object':
      return objectOf(def.shape ?? {}, wrong);
    case 'array':
      return fc.array(of(def.element), { maxLength: 3 });
    case 'record':
      return fc.dictionary(wrong === 0 ? fc.string() : key, of(def.valueType), { maxKeys: 4 });
    case 'optional':
      return fc.option(of(def.innerType), { nil: undefined });
    case 'default':
      return fc.option(of(def.innerType), { nil: undefined });
    case 'union':
      return fc.oneof(...(def.options ?? []).map(of));
    default:
      throw new Error(`nothing is generated for ${def.type}`);
  }
}

function objectOf(shape: Record<string, Schema>, wrong: number): Arbitrary<unknown> {
  const whole = fc.record(
    Object.fromEntries(Object.entries(shape).map(([name, one]) => [name, near(one, wrong)])),
    { noNullPrototype: false },
  );
  if (wrong === 0) return whole;
  const more = fc.dictionary(key, anything, { maxKeys: 1 });
  return fc.tuple(whole, more, fc.nat(60)).map(([object, extra, n]) => {
    const parsed = JSON.parse(JSON.stringify(object)) as Record<string, unknown>;
    if (n === 0) return JSON.parse(JSON.stringify({ ...parsed, ...extra }));
    if (n === 1) return Object.assign(Object.create(null), parsed);
    if (n === 2) return Object.create(parsed);
    if (n === 3) return Object.assign(Object.create({ inherited: true, links: 1 }), parsed);
    if (n === 4) Reflect.deleteProperty(parsed, Object.keys(parsed)[0] ?? '');
    if (n === 5) Object.defineProperty(parsed, '__proto__', { value: extra, enumerable: true });
    return n === 6 ? object : parsed;
  });
}

// --- Comparing ----------------------------------------------------------------------------------------------

const copyOf = (value: unknown) => structuredClone(value);
const outcomeOf = (work: () => unknown): unknown => {
  try {
    return { value: work() };
  } catch (error) {
    return { error: error instanceof Error ? [error.name, error.message] : String(error) };
  }
};
/** What was read or why not, as whoever asked gets to know it. */
function readBy(validate: (data: unknown) => unknown, data: unknown): unknown {
  const { value, error } = validate(data) as { value?: unknown; error?: unknown };
  const issues = (error as { instancePath: string; message: string }[] | undefined)?.map(
    ({ instancePath, message }) => [instancePath, message],
  );
  return issues ? { issues } : { keys: value === undefined ? [] : Object.keys(Object(value)).sort(), value };
}

describe('a request that was read by the compiled check', () => {
  const schemas = {
    ask: askSchema,
    begin: z.strictObject({ executionId: textSchema(200, 1), round: z.int().min(0).optional() }),
    complete: z.strictObject({
      executionId: textSchema(200, 1),
      ok: z.boolean(),
      result: z.unknown().optional(),
      error: textSchema(200).optional(),
    }),
    id: z.object({ id: z.uuid() }),
    flags: z.object({ begin: z.enum(['true', 'false']).optional() }),
  };

  test.each(Object.entries(schemas))('is what zod reads, or is refused in its words: %s', (_, schema) => {
    expect(isExact(schema, 'input')).toBe(true);
    const { compiled, byZod } = reading(schema);
    let quick = 0;
    fc.assert(
      fc.property(
        fc.oneof({ weight: 30, arbitrary: near(schema, 1) }, { weight: 1, arbitrary: anything }),
        (data) => {
          const inherits =
            typeof data === 'object' &&
            data !== null &&
            !Array.isArray(data) &&
            ![Object.prototype, null].includes(Object.getPrototypeOf(data));
          const other = inherits
            ? Object.create(Object.getPrototypeOf(data), Object.getOwnPropertyDescriptors(data))
            : copyOf(data);
          const expected = readBy(byZod, other);
          const read = compiled(data) as { value?: unknown };
          if (read.value === data) quick++;
          expect(readBy(() => read, data)).toEqual(expected);
        },
      ),
      RUNS,
    );
    expect(quick).toBeGreaterThan(RUNS.numRuns / 50);
  });

  test('has its defaults, each time their own', () => {
    const { compiled } = reading(askSchema);
    const given = () => ({ agentVersion: '1', tool: 'lookup', subject: 's', idempotencyKey: 'k' });
    const [one, two] = [compiled(given()), compiled(given())] as { value: z.infer<typeof askSchema> }[];
    expect(one?.value).toEqual({ ...given(), args: {}, context: {}, behind: [], links: [] });
    one?.value.links.push('changed');
    expect(two?.value.links).toEqual([]);
    const third = compiled(given()) as { value: z.infer<typeof askSchema> };
    expect(third.value.links).toEqual([]);
  });
});

describe('an answer that was written by the compiled writer', () => {
  const schemas = {
    asked: askedSchema,
    begun: begunSchema,
    action: actionSchema,
    detail: actionDetailSchema,
  };

  test.each(Object.entries(schemas))('is what zod writes: %s', (_, schema) => {
    expect(isExact(schema, 'output')).toBe(true);
    const { compiled, byZod } = writing(schema);
    fc.assert(
      fc.property(near(schema, 0), (data) => {
        const text = compiled(data);
        expect(text).toBeTypeOf('string');
        expect(JSON.parse(text)).toEqual(JSON.parse(byZod(data)));
      }),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(near(schema, 1), (data) => {
        const parsed = (write: (data: unknown) => string) => outcomeOf(() => JSON.parse(write(data)));
        expect(parsed(compiled)).toEqual(parsed(byZod));
      }),
      { numRuns: 200 },
    );
  });

  test('text is escaped wherever it stands', () => {
    const schema = z.object({
      at: z.iso.datetime({ offset: true }),
      any: z.unknown(),
      words: z.array(z.string()),
    });
    const { compiled, byZod } = writing(schema);
    for (const words of ['"', '\\', '\n', '\u2028', '\ud800', '</script>', '\0', 'é😀'.repeat(40)]) {
      const data = { at: '2026-11-30T00:00:00Z', any: { [words]: words }, words: [words] };
      expect(compiled(data)).toBe(byZod(data));
    }
    const hostile = { at: '2026-11-30T00:00:00Z","evil":"', any: 1, words: [] };
    expect(outcomeOf(() => compiled(hostile))).toEqual(outcomeOf(() => byZod(hostile)));
  });
});

describe('a schema of which JSON Schema does not say all', () => {
  const some = z.string();
  test.each<[string, Schema, 'input' | 'output']>([
    ['a coercion', z.coerce.number(), 'input'],
    ['a transformation', some.transform((one) => one.length), 'input'],
    ['a refinement', some.refine((one) => one !== 'no'), 'input'],
    ['a refinement inside', z.object({ all: z.array(some.refine(() => false)) }), 'input'],
    ['a refinement of a member', z.object({ one: some }).refine(() => false), 'input'],
    ['a format that is more than a pattern', z.url(), 'input'],
    ['an e-mail address', z.email(), 'input'],
    ['a pattern with flags', some.regex(/^a$/i), 'input'],
    ['what trims', some.trim(), 'input'],
    ['what folds', some.toLowerCase(), 'input'],
    ['an open object', z.looseObject({}), 'input'],
    ['a default on the way out', z.object({ one: some.default('x') }), 'output'],
    ['a default that is read', some.prefault('x'), 'input'],
    ['a catch', some.catch('x'), 'input'],
    ['a preparation', z.preprocess(String, some), 'input'],
    ['a date', z.date(), 'output'],
    ['a big integer', z.bigint(), 'input'],
    ['a record with keys of its own', z.record(z.enum(['a']), some), 'input'],
    ['an intersection', z.intersection(z.object({}), z.object({})), 'input'],
    ['a tuple', z.tuple([some]), 'input'],
    ['what is found later', z.lazy(() => some), 'input'],
    ['a custom one', z.custom(() => false), 'input'],
    ['a multiple', z.number().multipleOf(0.1), 'input'],
    ['a member read only', some.readonly(), 'input'],
  ])('is zod’s: %s', (_, schema, direction) => {
    expect(isExact(schema, direction)).toBe(false);
  });

  test('and so is everything that is not asked all the time', () => {
    const schema = z.object({ one: z.string() });
    const data = { one: 'x' };
    const read = validatorCompiler({ ...QUIET, schema, httpPart: 'body' })(data) as { value: unknown };
    expect(read.value).toEqual(data);
    expect(read.value).not.toBe(data);
  });
});
