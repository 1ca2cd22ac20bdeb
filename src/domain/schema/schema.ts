import type { Check } from './applicators.ts';
import { checkSchema, type SchemaProblem } from './check.ts';
import { indexOf } from './index-of.ts';
import type { JsonSchema } from './json-schema.ts';
import { meaninglessIn } from './meaningless.ts';
import { Meter, TooMuch } from './meter.ts';
import type { SchemaPath } from './refs.ts';
import { Run } from './run.ts';
import { undeclaredIn } from './undeclared.ts';
import { validatorOf } from './validator.ts';

/** What can be asked of a schema. No answer ever repeats a value, and none takes more than the meter allows. */
export interface Validator {
  /** Why a value does not fit, as `args/code must be …`; nothing when it does. */
  misfit(value: unknown, meter?: Meter): string | undefined;
  /** The first member of a value that fits which the schema allows without declaring it, as `args/cc/bcc`. */
  undeclared(value: unknown, meter?: Meter): string | undefined;
}

/** A compiled schema, or everything that keeps it from being enforced. */
export type CompiledSchema = ({ ok: true } & Validator) | { ok: false; problems: SchemaProblem[] };

/**
 * Compiles a tool's JSON Schema (2020-12, or draft 7 when it says so). Whatever it cannot enforce it refuses. Never
 * throws, nor do its answers.
 */
export function compileSchema(schema: JsonSchema | boolean): CompiledSchema {
  const index = indexOf(schema);
  if (!index.ok) return index;
  const problems = checkSchema(index.value);
  if (problems.length > 0) return { ok: false, problems };
  try {
    const check = validatorOf(index.value);
    return {
      ok: true,
      misfit: (value, meter = new Meter()) => misfitOf(check, value, meter),
      undeclared: (value, meter = new Meter()) => undeclaredOf(check, value, meter),
    };
  } catch (error) {
    const message = `It cannot be compiled: ${error instanceof Error ? error.message : 'unreadable'}`;
    return { ok: false, problems: [{ path: [], message, hint: 'Write it in a simpler way' }] };
  }
}

/**
 * Everything that keeps a schema from being enforced, or that can mean nothing where it stands; empty when it may be
 * applied.
 */
export function schemaProblems(schema: JsonSchema): SchemaProblem[] {
  const index = indexOf(schema);
  if (!index.ok) return index.problems;
  const problems = checkSchema(index.value);
  return problems.length > 0 ? problems : meaninglessIn(index.value);
}

/** The same, compiled when it is first asked; nothing fits a schema that cannot be enforced. */
export function validatorFor(schema: JsonSchema): Validator {
  let compiled: Validator | undefined;
  const ready = (): Validator => {
    compiled ??= failingClosed(compileSchema(schema));
    return compiled;
  };
  return {
    misfit: (value, meter) => ready().misfit(value, meter),
    undeclared: (value, meter) => ready().undeclared(value, meter),
  };
}

function failingClosed(compiled: CompiledSchema): Validator {
  if (compiled.ok) return compiled;
  const [problem] = compiled.problems;
  const misfit = `args have a schema that cannot be enforced (${problem?.message ?? 'unreadable'})`;
  return { misfit: () => misfit, undeclared: () => 'args' };
}

function misfitOf(check: Check, value: unknown, meter: Meter): string | undefined {
  const run = new Run(meter, { declares: false });
  try {
    if (check(value, run)) return undefined;
    const { path, message } = run.misfit ?? { path: [], message: 'does not fit its schema' };
    return `${placeText(path)} ${message}`;
  } catch (error) {
    if (error instanceof TooMuch) return 'args are too much to check against the schema';
    return 'args cannot be checked against the schema';
  }
}

function undeclaredOf(check: Check, value: unknown, meter: Meter): string | undefined {
  const run = new Run(meter, { declares: true });
  try {
    if (!check(value, run)) return 'args';
    const path = undeclaredIn(value, run);
    return path && placeText(path);
  } catch {
    return 'args';
  }
}

const PLACE_LENGTH_MAX = 200;
const placeText = (path: SchemaPath): string => ['args', ...path].join('/').slice(0, PLACE_LENGTH_MAX);
