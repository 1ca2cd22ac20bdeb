import type { JsonSchema } from './json-schema.ts';

/** The two dialects of JSON Schema that tools are described in. */
export type Draft = '2020-12' | '7';

export const JSON_TYPES = ['null', 'boolean', 'object', 'array', 'number', 'integer', 'string'] as const;
export type JsonType = (typeof JSON_TYPES)[number];

/** Where the subschemas of a keyword lie, and what of the value they speak about. */
export type Holds =
  | { what: 'value' }
  | { what: 'schema' | 'list' | 'map'; about: 'same' | 'member' | 'item' | 'name' | 'nothing' };

export interface Keyword {
  holds: Holds;
  /** The only kinds of value it says anything about; none: every kind. */
  about?: JsonType;
  /** What its own value must be, in words; nothing when it is that. */
  shape(value: unknown): string | undefined;
}

const VALUE: Holds = { what: 'value' };
const isText = (value: unknown): boolean => typeof value === 'string';
const isCount = (value: unknown): boolean =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0;
const isTextList = (value: unknown): boolean =>
  Array.isArray(value) && value.every(isText) && new Set(value).size === value.length;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const must =
  (words: string, fits: (value: unknown) => boolean) =>
  (value: unknown): string | undefined =>
    fits(value) ? undefined : words;

const anything = must('', () => true);
const text = must('text', isText);
const flag = must('true or false', (value) => typeof value === 'boolean');
const count = must('a whole number, 0 or more', isCount);
const number = must('a number', (value) => typeof value === 'number' && Number.isFinite(value));
const names = must('a list of names, each once', isTextList);
const schema = must('a schema', (value) => isObject(value) || typeof value === 'boolean');
const list = must('a list of schemas', (value) => Array.isArray(value) && value.length > 0);
const map = must('a map of schemas', isObject);

const value = (shape: Keyword['shape'], about?: JsonType): Keyword => ({ holds: VALUE, shape, about });
const one = (about: 'same' | 'member' | 'item' | 'name' | 'nothing', of?: JsonType): Keyword => ({
  holds: { what: 'schema', about },
  shape: schema,
  about: of,
});

const BOTH: Readonly<Record<string, Keyword>> = {
  $schema: value(text),
  $id: value(text),
  $ref: value(text),
  $comment: value(text),
  $defs: { holds: { what: 'map', about: 'nothing' }, shape: map },
  definitions: { holds: { what: 'map', about: 'nothing' }, shape: map },
  title: value(text),
  description: value(text),
  default: value(anything),
  examples: value(must('a list', Array.isArray)),
  deprecated: value(flag),
  readOnly: value(flag),
  writeOnly: value(flag),
  type: value(must(`one of ${JSON_TYPES.join(', ')}, or a list of them`, isTypes)),
  enum: value(must('a list of values', (given) => Array.isArray(given) && given.length > 0)),
  const: value(anything),
  format: value(text),
  multipleOf: value(
    must('a number above 0', (given) => typeof given === 'number' && given > 0),
    'number',
  ),
  maximum: value(number, 'number'),
  exclusiveMaximum: value(number, 'number'),
  minimum: value(number, 'number'),
  exclusiveMinimum: value(number, 'number'),
  maxLength: value(count, 'string'),
  minLength: value(count, 'string'),
  pattern: value(text, 'string'),
  maxItems: value(count, 'array'),
  minItems: value(count, 'array'),
  uniqueItems: value(flag, 'array'),
  contains: one('item', 'array'),
  maxProperties: value(count, 'object'),
  minProperties: value(count, 'object'),
  required: value(names, 'object'),
  properties: { holds: { what: 'map', about: 'member' }, shape: map, about: 'object' },
  patternProperties: { holds: { what: 'map', about: 'member' }, shape: map, about: 'object' },
  additionalProperties: one('member', 'object'),
  propertyNames: one('name', 'object'),
  allOf: { holds: { what: 'list', about: 'same' }, shape: list },
  anyOf: { holds: { what: 'list', about: 'same' }, shape: list },
  oneOf: { holds: { what: 'list', about: 'same' }, shape: list },
  not: one('same'),
  if: one('same'),
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: one('same'),
  else: one('same'),
};

const ONLY: Readonly<Record<Draft, Readonly<Record<string, Keyword>>>> = {
  '2020-12': {
    $anchor: value(text),
    items: one('item', 'array'),
    prefixItems: { holds: { what: 'list', about: 'item' }, shape: list, about: 'array' },
    maxContains: value(count, 'array'),
    minContains: value(count, 'array'),
    unevaluatedItems: one('item', 'array'),
    unevaluatedProperties: one('member', 'object'),
    dependentRequired: value(must('a map of lists of names', isNameLists), 'object'),
    dependentSchemas: { holds: { what: 'map', about: 'same' }, shape: map, about: 'object' },
  },
  '7': {
    items: {
      holds: { what: 'list', about: 'item' },
      shape: must(
        'a schema or a list of schemas',
        (given) => Array.isArray(given) || schema(given) === undefined,
      ),
      about: 'array',
    },
    additionalItems: one('item', 'array'),
    dependencies: { holds: { what: 'map', about: 'same' }, shape: map, about: 'object' },
  },
};

/** What people may mean by a keyword that is not one, and what to write. */
const OTHER_WORDS: Readonly<Record<string, string>> = {
  nullable: 'Write type: [string, "null"] (with its own type)',
  id: 'Write $id',
  example: 'Write examples: with a list',
  optional: 'Leave it out: what "required" does not name is optional',
  readonly: 'Write readOnly',
  discriminator: 'Leave it out, and give each form its own const',
  $dynamicRef: 'Write $ref: where a $dynamicRef leads is known only while validating',
  $dynamicAnchor: 'Write $anchor',
  $recursiveRef: 'Write $ref: "#"',
  $recursiveAnchor: 'Leave it out, and write $ref: "#"',
  $vocabulary: 'Leave it out: the keywords are those of draft 2020-12',
  contentEncoding: 'Leave it out, it checks nothing; for base64 write format: byte',
  contentMediaType: 'Leave it out: what is inside a text is not checked',
  contentSchema: 'Leave it out: what is inside a text is not checked',
};

const OTHER_DRAFT: Readonly<Record<Draft, Readonly<Record<string, string>>>> = {
  '2020-12': {
    additionalItems: 'Draft 2020-12 writes prefixItems for the first ones and items for the rest',
    dependencies: 'Draft 2020-12 writes dependentRequired or dependentSchemas',
  },
  '7': {
    prefixItems: 'Draft 7 writes items: with a list, and additionalItems',
    $anchor: 'Draft 7 writes $id: "#name"',
    ...Object.fromEntries(
      ['maxContains', 'minContains', 'unevaluatedItems', 'unevaluatedProperties', 'dependentRequired'].map(
        (name) => [name, 'Draft 7 does not have it: leave $schema out to write draft 2020-12'],
      ),
    ),
    dependentSchemas: 'Draft 7 does not have it: leave $schema out to write draft 2020-12',
  },
};

/** The keyword of this name; nothing when the draft has none. */
export const keywordOf = (draft: Draft, name: string): Keyword | undefined =>
  Object.hasOwn(BOTH, name) ? BOTH[name] : Object.hasOwn(ONLY[draft], name) ? ONLY[draft][name] : undefined;

export const keywordNames = (draft: Draft): string[] => [...Object.keys(BOTH), ...Object.keys(ONLY[draft])];

/** What to write instead of a known word that is no keyword here. */
export const insteadOf = (draft: Draft, name: string): string | undefined =>
  Object.hasOwn(OTHER_WORDS, name)
    ? OTHER_WORDS[name]
    : Object.hasOwn(OTHER_DRAFT[draft], name)
      ? OTHER_DRAFT[draft][name]
      : undefined;

/** Notes of one's own, which no keyword will ever be called. */
export const isNote = (name: string): boolean => name.startsWith('x-');

/** A subschema and how to come to it from the schema that holds it. */
export interface Subschema {
  keyword: string;
  path: (string | number)[];
  schema: unknown;
  about: 'same' | 'member' | 'item' | 'name' | 'nothing';
}

/** The subschemas of one schema, of known keywords only. */
export function subschemasOf(schemaObject: JsonSchema, draft: Draft): Subschema[] {
  return Object.entries(schemaObject).flatMap(([keyword, held]): Subschema[] => {
    const holds = keywordOf(draft, keyword)?.holds;
    if (holds === undefined || holds.what === 'value') return [];
    const { about } = holds;
    const at = (path: (string | number)[], inner: unknown): Subschema => ({
      keyword,
      path: [keyword, ...path],
      schema: inner,
      about,
    });
    if (holds.what === 'schema') return [at([], held)];
    if (Array.isArray(held)) return held.map((inner, index) => at([index], inner));
    if (holds.what === 'list') return [at([], held)];
    if (!isObject(held)) return [];
    const schemas = Object.entries(held).filter(([, inner]) => !Array.isArray(inner));
    return schemas.map(([name, inner]) => at([name], inner));
  });
}

function isTypes(given: unknown): boolean {
  const known = (name: unknown): boolean => (JSON_TYPES as readonly unknown[]).includes(name);
  return (
    known(given) ||
    (isTextList(given) && (given as unknown[]).length > 0 && (given as unknown[]).every(known))
  );
}

function isNameLists(given: unknown): boolean {
  return isObject(given) && Object.values(given).every(isTextList);
}
