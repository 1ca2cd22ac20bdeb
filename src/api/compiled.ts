import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fastJson from 'fast-json-stringify';
import type { FastifySchemaCompiler } from 'fastify';
import {
  serializerCompiler as zodSerializer,
  validatorCompiler as zodValidator,
} from 'fastify-type-provider-zod';
import { z } from 'zod';

type Schema = z.core.$ZodType;
type Direction = 'input' | 'output';

/** The routes that agents call all the time. */
const BUSY = new Set([
  'POST /v1/actions',
  'GET /v1/actions/:id',
  'POST /v1/actions/:id/begin',
  'POST /v1/actions/:id/complete',
]);

/**
 * All schemas are zod's. Those of the busiest routes are compiled to a check that says yes or no and to a writer of JSON:
 * whatever the check does not say yes to is zod's to read, to refuse in its words, or to write; so is every schema of which
 * JSON Schema does not say all that zod does.
 */
export const validatorCompiler: FastifySchemaCompiler<Schema> = (route) => {
  const byZod = zodValidator(route);
  if (!BUSY.has(`${route.method} ${route.url}`)) return byZod;
  const check = lazily(() => checkOf(route.schema, 'input'));
  return (data) => (isPlain(data) && check()?.(data) ? { value: data } : byZod(data));
};

/** Zod copies what an object inherits; of these there is nothing to inherit. */
const isPlain = (data: unknown): boolean =>
  typeof data === 'object' && data !== null && [Object.prototype, null].includes(Object.getPrototypeOf(data));

/** The same for answers. */
export const serializerCompiler: typeof zodSerializer = (route) => {
  const byZod = zodSerializer(route);
  const { schema } = route;
  if (!BUSY.has(`${route.method} ${route.url}`) || !(schema instanceof z.core.$ZodType)) return byZod;
  const write = lazily(() => writerOf(schema));
  return (data) => write()?.(data) ?? byZod(data);
};

/** Compiled when it is first needed: a process that is never asked pays nothing at its start. */
function lazily<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

const known = {
  input: new WeakMap<Schema, ValidateFunction>(),
  output: new WeakMap<Schema, ValidateFunction>(),
};
const writers = new WeakMap<Schema, (data: object) => string>();

/** Whether data is of the schema as it stands, so that zod would give it back unchanged; absent defaults are filled in. */
function checkOf(schema: Schema, direction: Direction): ValidateFunction | undefined {
  if (!isExact(schema, direction)) return undefined;
  const before = known[direction].get(schema);
  if (before) return before;
  // Zod's patterns have no flags, and the check has those of JavaScript without any, too.
  const ajv = new Ajv2020({ useDefaults: true, strict: false, validateFormats: false, unicodeRegExp: false });
  const check = ajv.compile(jsonSchemaOf(schema, direction));
  known[direction].set(schema, check);
  return check;
}

/** What it writes zod would have written, or it answers `undefined`. */
function writerOf(schema: Schema): ((data: unknown) => string | undefined) | undefined {
  const check = checkOf(schema, 'output');
  if (!check) return undefined;
  const write = writers.get(schema) ?? fastJson(withoutFormats(jsonSchemaOf(schema, 'output')));
  writers.set(schema, write);
  return (data) => (check(data) ? write(data as object) : undefined);
}

function jsonSchemaOf(schema: Schema, io: Direction): Record<string, unknown> {
  const made = z.toJSONSchema(schema, {
    io,
    override: ({ zodSchema, jsonSchema }) => {
      const { type } = zodSchema._zod.def;
      // What is not named zod leaves out, or refuses.
      if (type === 'object') jsonSchema.additionalProperties = false;
      // Of a record it leaves out this one alone.
      if (type === 'record') jsonSchema.propertyNames = { not: { const: '__proto__' } };
    },
  });
  return made as Record<string, unknown>;
}

/** The writer does not escape what it takes for an instant. */
function withoutFormats<T>(schema: T): T {
  const clean = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([key, one]) => key !== 'format' || typeof one !== 'string');
    return Object.fromEntries(entries.map(([key, one]) => [key, clean(one)]));
  };
  return clean(schema) as T;
}

const EXACT_CHECKS = new Set([
  'min_length',
  'max_length',
  'length_equals',
  'greater_than',
  'less_than',
  'number_format',
]);
/** Formats that are their pattern and nothing else. */
const EXACT_FORMATS = new Set(['regex', 'uuid', 'datetime']);

/** Whether JSON Schema says all of it, and what passes is given back as it is. */
export function isExact(schema: Schema, direction: Direction): boolean {
  const { def } = schema._zod as { def: SchemaDef };
  const own = def.check === undefined ? [] : [{ _zod: { def: def as CheckDef } }];
  if (def.coerce || ![...own, ...(def.checks ?? [])].every(({ _zod }) => isExactCheck(_zod.def)))
    return false;
  const inner = partsOf(def, direction);
  return inner?.every((part) => isExact(part, direction)) ?? false;
}

interface CheckDef {
  check: string;
  format?: string;
  pattern?: RegExp;
}

interface SchemaDef {
  type: string;
  check?: string;
  coerce?: boolean;
  checks?: readonly { _zod: { def: CheckDef } }[];
  shape?: Readonly<Record<string, Schema>>;
  catchall?: Schema;
  element?: Schema;
  keyType?: Schema;
  valueType?: Schema;
  innerType?: Schema;
  options?: readonly Schema[];
  values?: readonly unknown[];
}

function isExactCheck({ check, format, pattern }: CheckDef): boolean {
  if (check !== 'string_format') return EXACT_CHECKS.has(check);
  return EXACT_FORMATS.has(format ?? '') && (pattern === undefined || pattern.flags === '');
}

/** The schemas inside; `undefined`: of a kind that does more than check. */
function partsOf(def: SchemaDef, direction: Direction): readonly Schema[] | undefined {
  const { shape = {}, catchall, element, keyType, valueType, innerType, options } = def;
  switch (def.type) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'enum':
    case 'literal':
    case 'unknown':
      return [];
    case 'object':
      return catchall === undefined || catchall._zod.def.type === 'never' ? Object.values(shape) : undefined;
    case 'array':
      return element && [element];
    case 'record':
      return keyType?._zod.def.type === 'string' && !keyType._zod.def.checks?.length && valueType
        ? [valueType]
        : undefined;
    case 'optional':
    case 'nullable':
      return innerType && [innerType];
    case 'default':
      // An answer is not completed on its way out.
      return innerType && direction === 'input' ? [innerType] : undefined;
    case 'union':
      return options;
    default:
      return undefined;
  }
}
