import { Environment } from '@marcbachmann/cel-js';
import { asSchema, type JsonSchema } from '../schema/json-schema.ts';
import { plainView } from '../schema/view.ts';
import { declareLists, LISTS, listsAsSchema } from './lists.ts';
import type { AttributeType, ConditionScope } from './scope.ts';
import { CelError, CelList, CelMap, type CelValue, type MapKey } from './values.ts';

/** A CEL type and how a JSON value becomes a value of it, member by member as they are looked at. */
interface CelType {
  name: string;
  /** @throws CelError for what is of another type */
  convert(value: unknown): CelValue;
}

const SCALARS: Readonly<Record<string, CelType>> = {
  string: { name: 'string', convert: (value) => (typeof value === 'string' ? value : misfit()) },
  boolean: { name: 'bool', convert: (value) => (typeof value === 'boolean' ? value : misfit()) },
  number: { name: 'double', convert: (value) => (typeof value === 'number' ? value : misfit()) },
  integer: { name: 'int', convert: toInt },
};
const DYN: CelType = { name: 'dyn', convert: toDyn };
const dynAt = (): CelType => DYN;
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
  values(raw: Readonly<Record<string, unknown>>): Map<string, CelValue>;
}

/** What every condition may use, without variables. */
export const celEnvironment = (): Environment => BASE.clone();

// Only the type of re2(): what it does is in evaluate.ts.
const BASE = new Environment({ limits: LIMITS }).registerFunction('re2(string, string): bool', () => false);

/** `context` from the attributes' types, with `args` also the arguments from their schema and `subject`, and `lists`. */
export function celScope({ attributes, args, lists = {} }: ConditionScope): CelScope {
  const context = {
    type: 'object',
    properties: Object.fromEntries(
      Object.entries(attributes).map(([name, type]) => [name, { type: ATTRIBUTE_SCHEMA[type] }]),
    ),
    required: Object.keys(attributes),
    additionalProperties: false,
  };
  const variables: Record<string, JsonSchema> =
    args === undefined ? { context } : { args: plainView(args), context, subject: { type: 'string' } };
  const environment = celEnvironment();
  const names = new TypeNames(environment);
  const types = Object.entries(variables).map(([name, schema]): [string, CelType] => {
    const type = typeOf(schema, names, name);
    environment.registerVariable(name, type.name);
    return [name, type];
  });
  const values: CelScope['values'] = (raw) =>
    new Map(types.flatMap(([name, type]) => converted(name, type, raw)));
  if (Object.keys(lists).length === 0) return { environment, variables, values };
  const named = declareLists(environment, lists);
  return {
    environment,
    variables: { ...variables, [LISTS]: listsAsSchema(lists) },
    values: (raw) => values(raw).set(LISTS, named),
  };
}

/** Names of types that an environment does not have yet. */
class TypeNames {
  readonly #taken = new Set<string>();

  constructor(readonly environment: Environment) {}

  free(wanted: string): string {
    let name = wanted;
    for (let at = 2; this.#taken.has(name); at++) name = `${wanted}${at}`;
    this.#taken.add(name);
    return name;
  }
}

function typeOf(schema: JsonSchema | undefined, names: TypeNames, path: string): CelType {
  const scalar = typeof schema?.type === 'string' ? SCALARS[schema.type] : undefined;
  if (scalar) return scalar;
  if (schema?.type === 'array') return listType(schema, names, path);
  if (schema !== undefined && isObjectSchema(schema)) return objectType(schema, names, path);
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

function listType(schema: JsonSchema, names: TypeNames, path: string): CelType {
  const item = typeOf(asSchema(schema.items), names, `${path}_item`);
  return {
    name: `list<${item.name}>`,
    convert: (value) => (Array.isArray(value) ? new GivenList(value, item) : misfit()),
  };
}

function objectType(schema: JsonSchema, names: TypeNames, path: string): CelType {
  const properties = Object.entries(asSchema(schema.properties) ?? {});
  if (properties.length === 0) return mapType(schema, names, path);
  const fields = properties.map(([key, member], at): [string, CelType] => {
    const suffix = /^\w+$/.test(key) ? key : String(at);
    return [key, typeOf(asSchema(member), names, `${path}_${suffix}`)];
  });
  const name = names.free(`${path}_object`);
  /** The environment tells types apart by constructor. */
  class Values extends Map<string, unknown> {}
  const types = new Map(fields);
  const typeAt = (key: string): CelType | undefined => types.get(key);
  const declared = Object.fromEntries(fields.map(([key, type]) => [key, type.name]));
  names.environment.registerType(name, { ctor: Values, fields: declared });
  return {
    name,
    convert: (value) => (isPlain(value) ? new GivenMap(value, typeAt) : misfit()),
  };
}

function mapType(schema: JsonSchema, names: TypeNames, path: string): CelType {
  const value = typeOf(asSchema(schema.additionalProperties), names, `${path}_value`);
  const typeAt = (): CelType => value;
  return {
    name: `map<string, ${value.name}>`,
    convert: (raw) => (isPlain(raw) ? new GivenMap(raw, typeAt) : misfit()),
  };
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function misfit(): never {
  throw new CelError('The value is of another type');
}

/** Nothing where the value does not fit: then only a condition that names it errs. */
function converted(
  name: string,
  type: CelType,
  raw: Readonly<Record<string, unknown>>,
): [string, CelValue][] {
  try {
    return [[name, type.convert(raw[name])]];
  } catch (error) {
    if (error instanceof CelError) return [];
    throw error;
  }
}

/** A list of the arguments. */
class GivenList extends CelList {
  readonly length: number;

  constructor(
    readonly items: readonly unknown[],
    readonly type: CelType,
  ) {
    super();
    this.length = items.length;
  }

  at(index: number): CelValue {
    return this.type.convert(this.items[index]);
  }
}

/** An object of the arguments; a member without a type is none. */
class GivenMap extends CelMap {
  constructor(
    readonly given: Readonly<Record<string, unknown>>,
    readonly typeAt: (key: string) => CelType | undefined,
  ) {
    super();
  }

  keys(): readonly MapKey[] {
    return Object.keys(this.given).filter((key) => this.typeAt(key) !== undefined);
  }

  has(key: MapKey): boolean {
    return typeof key === 'string' && Object.hasOwn(this.given, key) && this.typeAt(key) !== undefined;
  }

  get(key: MapKey): CelValue | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.given, key)) return undefined;
    return this.typeAt(key)?.convert(this.given[key]);
  }
}

function toInt(value: unknown): CelValue {
  return typeof value === 'number' && Number.isSafeInteger(value) ? BigInt(value) : misfit();
}

function toDyn(value: unknown): CelValue {
  if (Array.isArray(value)) return new GivenList(value, DYN);
  if (isPlain(value)) return new GivenMap(value, dynAt);
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  return misfit();
}
