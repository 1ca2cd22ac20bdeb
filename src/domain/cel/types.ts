import { Environment } from '@marcbachmann/cel-js';
import { RE2JS } from 're2js';
import { asSchema, type JsonSchema } from '../schema/schema.ts';

export type AttributeType = 'string' | 'bool' | 'int' | 'double';

/** A CEL type and how a JSON value becomes a value of it. What does not fit is left as it is and errs later. */
interface CelType {
  name: string;
  convert(value: unknown): unknown;
}

const SCALARS: Readonly<Record<string, CelType>> = {
  string: { name: 'string', convert: (value) => value },
  boolean: { name: 'bool', convert: (value) => value },
  number: { name: 'double', convert: (value) => value },
  integer: { name: 'int', convert: toInt },
};
const DYN: CelType = { name: 'dyn', convert: toDyn };
const ATTRIBUTE_SCHEMA: Readonly<Record<AttributeType, string>> = {
  string: 'string',
  bool: 'boolean',
  int: 'integer',
  double: 'number',
};

const LIMITS = {
  maxAstNodes: 500,
  maxDepth: 32,
  maxListElements: 200,
  maxMapEntries: 50,
  maxCallArguments: 8,
};

/** The environment of one condition: the variables it may name and how their values are made. */
export interface CelScope {
  environment: Environment;
  variables: Readonly<Record<string, JsonSchema>>;
  values(raw: Readonly<Record<string, unknown>>): Record<string, unknown>;
}

/** `context` from the attributes' types, and with `args` also the arguments from their schema and `subject`. */
export function celScope(attributes: Readonly<Record<string, AttributeType>>, args?: JsonSchema): CelScope {
  const context = {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(attributes).map(([name, type]) => [name, { type: ATTRIBUTE_SCHEMA[type] }]),
    ),
    required: Object.keys(attributes),
    additionalProperties: false,
  };
  const variables: Record<string, JsonSchema> =
    args === undefined ? { context } : { args, context, subject: { type: 'string' } };
  const environment = new Environment({ limits: LIMITS });
  const patterns = new Map<string, RE2JS>();
  environment.registerFunction('re2(string, string): bool', (text: string, pattern: string) => {
    const compiled = patterns.get(pattern) ?? RE2JS.compile(pattern);
    patterns.set(pattern, compiled);
    return compiled.matcher(text).find();
  });
  const types = Object.entries(variables).map(([name, schema]): [string, CelType] => {
    const type = typeOf(schema, environment, name);
    environment.registerVariable(name, type.name);
    return [name, type];
  });
  return {
    environment,
    variables,
    values: (raw) => Object.fromEntries(types.map(([name, type]) => [name, type.convert(raw[name])])),
  };
}

function typeOf(schema: JsonSchema | undefined, environment: Environment, path: string): CelType {
  const scalar = typeof schema?.type === 'string' ? SCALARS[schema.type] : undefined;
  if (scalar) return scalar;
  if (schema?.type === 'array') return listType(schema, environment, path);
  if (schema !== undefined && isObjectSchema(schema)) return objectType(schema, environment, path);
  return typeOfValues(schema) ?? DYN;
}

/** Whether a schema describes an object with named members, directly and not through a combination. */
export const isObjectSchema = (schema: JsonSchema): boolean =>
  schema.type === 'object' || (schema.type === undefined && asSchema(schema.properties) !== undefined);

function typeOfValues(schema: JsonSchema | undefined): CelType | undefined {
  const values = Array.isArray(schema?.enum)
    ? schema.enum
    : schema && 'const' in schema
      ? [schema.const]
      : [];
  return values.length > 0 && values.every((value) => typeof value === 'string') ? SCALARS.string : undefined;
}

function listType(schema: JsonSchema, environment: Environment, path: string): CelType {
  const item = typeOf(asSchema(schema.items), environment, `${path}_item`);
  return {
    name: `list<${item.name}>`,
    convert: (value) => (Array.isArray(value) ? value.map((entry) => item.convert(entry)) : value),
  };
}

function objectType(schema: JsonSchema, environment: Environment, path: string): CelType {
  const properties = Object.entries(asSchema(schema.properties) ?? {});
  if (properties.length === 0) return mapType(schema, environment, path);
  const fields = properties.map(([key, member], at): [string, CelType] => {
    const suffix = /^\w+$/.test(key) ? key : String(at);
    return [key, typeOf(asSchema(member), environment, `${path}_${suffix}`)];
  });
  const name = freeName(`${path}_object`, environment);
  /** The environment tells types apart by constructor. */
  class Values extends Map<string, unknown> {}
  const declared = Object.fromEntries(fields.map(([key, type]) => [key, type.name]));
  environment.registerType(name, { ctor: Values, fields: declared });
  return {
    name,
    convert: (value) => {
      if (!isPlain(value)) return value;
      const present = fields.filter(([key]) => Object.hasOwn(value, key));
      return new Values(present.map(([key, type]) => [key, type.convert(value[key])]));
    },
  };
}

function mapType(schema: JsonSchema, environment: Environment, path: string): CelType {
  const value = typeOf(asSchema(schema.additionalProperties), environment, `${path}_value`);
  return {
    name: `map<string, ${value.name}>`,
    convert: (raw) =>
      isPlain(raw) ? new Map(Object.entries(raw).map(([key, entry]) => [key, value.convert(entry)])) : raw,
  };
}

function freeName(wanted: string, environment: Environment): string {
  const taken = new Set(environment.getDefinitions().functions.map((definition) => definition.signature));
  let name = wanted;
  for (let at = 2; taken.has(`type(${name}): type`); at++) name = `${wanted}${at}`;
  return name;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function toInt(value: unknown): unknown {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : value;
}

function toDyn(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toDyn);
  if (!isPlain(value)) return value;
  return new Map(Object.entries(value).map(([key, entry]) => [key, toDyn(entry)]));
}
