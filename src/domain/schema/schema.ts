import { checkSchema, type SchemaProblem } from './check.ts';
import type { Draft } from './keywords.ts';
import { Meter, TooMuch } from './meter.ts';
import { SchemaIndex, type SchemaPath, TooLarge } from './refs.ts';
import { Run } from './run.ts';
import { undeclaredIn } from './undeclared.ts';
import { validatorOf } from './validator.ts';

export type { SchemaProblem } from './check.ts';

/** A JSON Schema as a manifest holds it: a plain object, not looked into further. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** What a schema says of one value, in words that never repeat a value. */
export interface Verdict {
  /** Why it does not fit; nothing when it does. */
  misfit?: string;
  /** The first member that the schema allows without declaring it, as `args/cc/bcc`. */
  undeclared?: string;
}

export type Validate = (value: unknown, meter?: Meter) => Verdict;

/** A compiled schema, or everything that keeps it from being enforced. */
export type CompiledSchema = { ok: true; validate: Validate } | { ok: false; problems: SchemaProblem[] };

/**
 * Compiles a tool's JSON Schema (2020-12, or draft 7 when it says so). Whatever it cannot enforce it refuses. Never
 * throws, nor does `validate`.
 */
export function compileSchema(schema: JsonSchema | boolean): CompiledSchema {
  const index = indexOf(schema);
  if (!index.ok) return index;
  const problems = checkSchema(index.value);
  if (problems.length > 0) return { ok: false, problems };
  try {
    const check = validatorOf(index.value);
    return { ok: true, validate: (value, meter = new Meter()) => verdictOf(check, value, meter) };
  } catch (error) {
    const message = `It cannot be compiled: ${error instanceof Error ? error.message : 'unreadable'}`;
    return { ok: false, problems: [{ path: [], message, hint: 'Write it in a simpler way' }] };
  }
}

/** The same, compiled when it is first asked; nothing fits a schema that cannot be enforced. */
export function validatorFor(schema: JsonSchema): Validate {
  let validate: Validate | undefined;
  return (value, meter) => {
    validate ??= failingClosed(compileSchema(schema));
    return validate(value, meter);
  };
}

function failingClosed(compiled: CompiledSchema): Validate {
  if (compiled.ok) return compiled.validate;
  const [problem] = compiled.problems;
  const misfit = `args have a schema that cannot be enforced (${problem?.message ?? 'unreadable'})`;
  return () => ({ misfit });
}

/** The places and references of a schema, or why it has none that could be enforced. */
export function indexOf(
  schema: JsonSchema | boolean,
): { ok: true; value: SchemaIndex } | { ok: false; problems: SchemaProblem[] } {
  const draft = draftOf(schema);
  if (draft === undefined) {
    const message = 'Only draft 2020-12 and draft 7 of JSON Schema are known';
    return { ok: false, problems: [{ path: ['$schema'], message, hint: 'Leave $schema out for 2020-12' }] };
  }
  try {
    return { ok: true, value: new SchemaIndex(schema, draft) };
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    return { ok: false, problems: [{ path: [], message: error.message, hint: 'Split or flatten it' }] };
  }
}

function draftOf(schema: JsonSchema | boolean): Draft | undefined {
  const dialect = typeof schema === 'boolean' ? undefined : schema.$schema;
  if (dialect === undefined) return '2020-12';
  const name = /^https?:\/\/json-schema\.org\/(draft\/2020-12|draft-0[67])\/schema#?$/.exec(
    String(dialect),
  )?.[1];
  return name === undefined ? undefined : name === 'draft/2020-12' ? '2020-12' : '7';
}

function verdictOf(check: ReturnType<typeof validatorOf>, value: unknown, meter: Meter): Verdict {
  const run = new Run(meter);
  try {
    if (!check(value, run)) {
      const { path, message } = run.misfit ?? { path: [], message: 'does not fit its schema' };
      return { misfit: `${placeText(path)} ${message}` };
    }
    const undeclared = undeclaredIn(value, run);
    return undeclared === undefined ? {} : { undeclared: placeText(undeclared) };
  } catch (error) {
    if (error instanceof TooMuch) return { misfit: 'args are too much to check against the schema' };
    return { misfit: 'args cannot be checked against the schema' };
  }
}

const PLACE_LENGTH_MAX = 200;
const placeText = (path: SchemaPath): string => ['args', ...path].join('/').slice(0, PLACE_LENGTH_MAX);

/** The member `key` of a schema's `properties`, if it is there. */
export function propertyOf(schema: unknown, key: string): JsonSchema | undefined {
  const properties = asSchema(asSchema(schema)?.properties);
  return properties !== undefined && Object.hasOwn(properties, key) ? asSchema(properties[key]) : undefined;
}

/** `value` as a schema object, or nothing. */
export const asSchema = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;
