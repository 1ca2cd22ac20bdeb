import type { SchemaProblem } from './check.ts';
import { formatOf } from './formats.ts';
import { asSchema, type JsonSchema } from './json-schema.ts';
import { type JsonType, keywordOf } from './keywords.ts';
import { memberNames, membersCalled, sameValue } from './paths.ts';
import type { Place, SchemaIndex } from './refs.ts';
import { isOfType } from './values.ts';

/** What a schema says that can mean nothing where it stands, in a schema that can be enforced. */
export function meaninglessIn(index: SchemaIndex): SchemaProblem[] {
  const contexts = contextsOf(index);
  return [...index.places()].flatMap((place) => {
    const schema = asSchema(place.schema);
    if (schema === undefined) return [];
    if (index.draft === '7' && '$ref' in schema) return besideReference(place, schema);
    return [
      ...ofOtherType(place, schema, index),
      ...neverOfType(place, schema),
      ...emptyRanges(place, schema),
      ...alone(place, schema, index),
      ...inCircles(place, index),
      ...undeclaredNames(place, schema, contexts.get(place) ?? [], index),
    ];
  });
}

const typesOf = (schema: JsonSchema): JsonType[] | undefined =>
  schema.type === undefined ? undefined : ([schema.type].flat() as JsonType[]);

const speaksOf = (types: readonly JsonType[], about: JsonType): boolean =>
  types.includes(about) || (about === 'number' && types.includes('integer'));

/** `minimum` on text, `properties` on a list. */
function ofOtherType({ path }: Place, schema: JsonSchema, { draft }: SchemaIndex): SchemaProblem[] {
  const types = typesOf(schema);
  if (types === undefined) return [];
  return Object.keys(schema).flatMap((name) => {
    const about =
      name === 'format' ? formatOf(schema.format as string)?.about : keywordOf(draft, name)?.about;
    if (about === undefined || speaksOf(types, about)) return [];
    const what = name === 'format' ? `Format "${schema.format}"` : `"${name}"`;
    const instead = INSTEAD[`${name} ${types[0]}`];
    return [
      {
        path: [...path, name],
        atKey: true,
        message: `${what} says nothing about a value of type ${types.join(' or ')}`,
        hint: instead === undefined ? `Leave it out, or write type: ${about}` : `Write ${instead}`,
      },
    ];
  });
}

const INSTEAD: Readonly<Record<string, string>> = {
  'minimum string': 'minLength for the length of text, or type: number',
  'maximum string': 'maxLength for the length of text, or type: number',
  'minLength number': 'minimum, or type: string',
  'maxLength number': 'maximum, or type: string',
  'minLength integer': 'minimum, or type: string',
  'maxLength integer': 'maximum, or type: string',
  'minLength array': 'minItems, or type: string',
  'maxLength array': 'maxItems, or type: string',
  'minimum array': 'minItems, or put it in items:',
  'maximum array': 'maxItems, or put it in items:',
  'pattern array': 'items: with the pattern in it',
};

/** Listed values that the type excludes. */
function neverOfType({ path }: Place, schema: JsonSchema): SchemaProblem[] {
  const types = typesOf(schema);
  if (types === undefined) return [];
  const given: [(string | number)[], unknown][] = [
    ...(Array.isArray(schema.enum)
      ? schema.enum.map((value, at): [(string | number)[], unknown] => [['enum', at], value])
      : []),
    ...('const' in schema ? [[['const'], schema.const] as [string[], unknown]] : []),
  ];
  return given
    .filter(([, value]) => !types.some((type) => isOfType(value, type)))
    .map(([at, value]) => ({
      path: [...path, ...at],
      message: `No value of type ${types.join(' or ')} is ${JSON.stringify(value).slice(0, 60)}`,
      hint: types.includes('string') ? 'Put it in quotes, or mend the type' : 'Mend the value or the type',
    }));
}

const RANGES = [
  ['minimum', 'maximum'],
  ['minLength', 'maxLength'],
  ['minItems', 'maxItems'],
  ['minProperties', 'maxProperties'],
  ['minContains', 'maxContains'],
] as const;

function emptyRanges({ path }: Place, schema: JsonSchema): SchemaProblem[] {
  return RANGES.flatMap(([least, most]) => {
    const [from, to] = [schema[least], schema[most]];
    if (typeof from !== 'number' || typeof to !== 'number' || from <= to) return [];
    const message = `Nothing is at least ${from} and at most ${to}`;
    return [{ path: [...path, least], message, hint: `Mend ${least} or ${most}` }];
  });
}

/** Keywords that only say something beside another one. */
const NEEDS: readonly { name: string; beside: readonly string[] }[] = [
  { name: 'if', beside: ['then', 'else'] },
  { name: 'then', beside: ['if'] },
  { name: 'else', beside: ['if'] },
  { name: 'minContains', beside: ['contains'] },
  { name: 'maxContains', beside: ['contains'] },
];

function alone({ path }: Place, schema: JsonSchema, { draft }: SchemaIndex): SchemaProblem[] {
  const problems = NEEDS.filter(
    ({ name, beside }) => name in schema && !beside.some((one) => one in schema),
  ).map(
    ({ name, beside }): SchemaProblem => ({
      path: [...path, name],
      atKey: true,
      message: `"${name}" says nothing without ${beside.join(' or ')}`,
      hint: `Add ${beside.join(' or ')}, or leave it out`,
    }),
  );
  if (draft === '7' && 'additionalItems' in schema && !Array.isArray(schema.items))
    problems.push({
      path: [...path, 'additionalItems'],
      atKey: true,
      message: '"additionalItems" says nothing unless items is a list',
      hint: 'Leave it out: items holds for every item',
    });
  return problems;
}

const NOTES: ReadonlySet<string> = new Set([
  ...['$ref', '$comment', 'title', 'description', 'default', 'examples', 'definitions', '$defs', '$schema'],
  ...['deprecated', 'readOnly', 'writeOnly'],
]);

function besideReference({ path }: Place, schema: JsonSchema): SchemaProblem[] {
  return Object.keys(schema)
    .filter((name) => !NOTES.has(name) && !name.startsWith('x-'))
    .map((name) => ({
      path: [...path, name],
      atKey: true,
      message: `In draft 7 nothing beside $ref counts, and so "${name}" binds nobody`,
      hint: 'Write allOf: [{ $ref: … }] and put it beside that, or leave $schema out for draft 2020-12',
    }));
}

/** A reference that comes back to the same value says nothing, and checking it would never end. */
function inCircles(place: Place, index: SchemaIndex): SchemaProblem[] {
  const reference = asSchema(place.schema)?.$ref;
  if (typeof reference !== 'string') return [];
  const target = index.target(place, reference);
  if (target === undefined || !sameValue([target], index).includes(place)) return [];
  return [
    {
      path: [...place.path, '$ref'],
      message: `"${reference}" leads back here without going into a member or an item`,
      hint: 'Refer to it from properties: or items:, or leave it out',
    },
  ];
}

/** The places that stand for a value of their own, for each place that speaks about it. */
function contextsOf(index: SchemaIndex): Map<Place, Place[][]> {
  const own = new Set<Place>([index.root]);
  for (const place of index.places()) {
    for (const inner of index.inside(place))
      if (inner.about === 'member' || inner.about === 'item') own.add(inner.place);
  }
  const contexts = new Map<Place, Place[][]>();
  for (const place of own) {
    const together = sameValue([place], index);
    for (const one of together) contexts.set(one, [...(contexts.get(one) ?? []), together]);
  }
  return contexts;
}

/** `required` of a member that nothing declares. */
function undeclaredNames(
  { path }: Place,
  schema: JsonSchema,
  contexts: readonly Place[][],
  index: SchemaIndex,
): SchemaProblem[] {
  if (contexts.length === 0) return [];
  const isDeclared = (name: string): boolean =>
    contexts.some((together) => membersCalled(name, together, index).length > 0);
  return namesNeeded(schema)
    .filter(([, name]) => !isDeclared(name))
    .map(([at, name]) => ({
      path: [...path, ...at],
      message: `"${name}" is required and declared nowhere`,
      hint: `Add it to properties:${near(contexts)}`,
    }));
}

function namesNeeded(schema: JsonSchema): [(string | number)[], string][] {
  const lists: [string[], unknown][] = [[['required'], schema.required]];
  for (const keyword of ['dependentRequired', 'dependencies'])
    for (const [name, list] of Object.entries(asSchema(schema[keyword]) ?? {}))
      lists.push([[keyword, name], list]);
  return lists.flatMap(([at, list]) =>
    Array.isArray(list)
      ? list.map((name, index): [(string | number)[], string] => [[...at, index], String(name)])
      : [],
  );
}

function near(contexts: readonly Place[][]): string {
  const names = [...new Set(contexts.flatMap(memberNames))].slice(0, 8);
  return names.length > 0 ? ` (declared are ${names.join(', ')})` : '';
}
