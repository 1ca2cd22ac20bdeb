import { Ajv, type ErrorObject, type Options } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { RE2JS } from 're2js';
import { suggest } from './nearest.ts';

/** A JSON Schema as a manifest holds it: a plain object, not looked into further. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** Says what is wrong with arguments, without ever repeating a value; empty when they fit. */
export type ArgsValidator = (args: unknown) => string[];

/** A compiled schema, or why it is not one. */
export type CompiledSchema = { ok: true; validate: ArgsValidator } | { ok: false; message: string };

/** Patterns run on RE2, which takes linear time: arguments come from the agent. */
const linearRegExp = Object.assign(
  (pattern: string) => {
    const compiled = RE2JS.compile(pattern);
    return { test: (text: string): boolean => compiled.matcher(text).find() };
  },
  { code: 'linearRegExp' },
);

const OPTIONS: Options = {
  strict: false,
  allErrors: false,
  ownProperties: true,
  validateFormats: false,
  logger: false,
  addUsedSchema: false,
};

/** Compiles a tool's JSON Schema (2020-12, or draft-07 when it says so). Never throws. */
export function compileSchema(schema: JsonSchema): CompiledSchema {
  try {
    const { $schema: dialect, ...rest } = schema;
    const draft7 = typeof dialect === 'string' && /draft-0[67]/.test(dialect);
    const options: Options = {
      ...OPTIONS,
      code: { regExp: linearRegExp as NonNullable<Options['code']>['regExp'] },
    };
    const validate = (draft7 ? new Ajv(options) : new Ajv2020(options)).compile(rest);
    if ('$async' in validate) return { ok: false, message: 'asynchronous schemas are not supported' };
    return { ok: true, validate: (args) => (validate(args) ? [] : (validate.errors ?? []).map(describe)) };
  } catch (error) {
    return { ok: false, message: firstLine(error) };
  }
}

/** The member `key` of a schema's `properties`, if it is there. */
export function propertyOf(schema: unknown, key: string): JsonSchema | undefined {
  const properties = asSchema(asSchema(schema)?.properties);
  return properties !== undefined && Object.hasOwn(properties, key) ? asSchema(properties[key]) : undefined;
}

/** `value` as a schema object, or nothing. */
export const asSchema = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;

/** Follows `passengers[].dob` or `payment.id` through a schema; says where it leads nowhere. */
export function schemaAt(schema: JsonSchema, path: string): { found: true } | { found: false; hint: string } {
  let here: JsonSchema | undefined = schema;
  for (const part of path.split('.')) {
    const name = part.replace(/(\[\])+$/, '');
    const next = propertyOf(here, name);
    if (next === undefined)
      return { found: false, hint: suggest(name, Object.keys(asSchema(here?.properties) ?? {})) };
    here = next;
    for (let depth = (part.length - name.length) / 2; depth > 0; depth--) {
      here = asSchema(here?.items);
      if (here === undefined) return { found: false, hint: `"${name}" is not a list: write it without []` };
    }
  }
  return { found: true };
}

function describe(error: ErrorObject): string {
  const where = error.instancePath === '' ? 'args' : `args${error.instancePath.slice(0, 200)}`;
  const extra = error.params.additionalProperty;
  if (typeof extra === 'string') return `${where} has no property ${JSON.stringify(extra.slice(0, 64))}`;
  return `${where} ${error.message ?? 'does not fit its schema'}`;
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? 'unreadable';
