import { suggest } from '../nearest.ts';
import { sentence } from '../problem.ts';
import { formatNames, formatOf, insteadOfFormat } from './formats.ts';
import { asSchema, type JsonSchema } from './json-schema.ts';
import { insteadOf, isNote, JSON_TYPES, keywordNames, keywordOf } from './keywords.ts';
import { compilePattern } from './pattern.ts';
import type { Place, SchemaIndex, SchemaPath } from './refs.ts';

/** What keeps a schema from being enforced, at a path inside it. */
export interface SchemaProblem {
  path: SchemaPath;
  message: string;
  hint: string;
  /** Point at the keyword instead of its value. */
  atKey?: boolean;
}

/** Whatever a schema says that would bind nobody: unknown words, unknown formats, references that lead nowhere. */
export const checkSchema = (index: SchemaIndex): SchemaProblem[] =>
  [...index.places()].flatMap((place) => checkPlace(place, index));

function checkPlace(place: Place, index: SchemaIndex): SchemaProblem[] {
  const { schema: given, path } = place;
  if (typeof given === 'boolean') return [];
  const schema = asSchema(given);
  if (schema === undefined)
    return [{ path, message: 'This is not a schema', hint: 'Write a map of keywords, or true or false' }];
  return Object.entries(schema).flatMap(([name, value]) => checkKeyword(name, value, place, schema, index));
}

function checkKeyword(
  name: string,
  value: unknown,
  place: Place,
  schema: JsonSchema,
  index: SchemaIndex,
): SchemaProblem[] {
  if (isNote(name)) return [];
  const path = [...place.path, name];
  const keyword = keywordOf(index.draft, name);
  if (keyword === undefined) return [unknownKeyword(name, path, index)];
  const shape = keyword.shape(value);
  if (shape !== undefined)
    return [{ path, message: `"${name}" must be ${shape}`, hint: shapeHint(name, value) }];
  if (index.draft === '7' && '$ref' in schema && name !== '$ref') return [];
  if (name === 'format' && formatOf(value as string) === undefined)
    return [unknownFormat(value as string, path)];
  if (name === 'pattern') return checkPattern(value as string, path);
  if (name === 'patternProperties')
    return Object.keys(value as object).flatMap((pattern) => checkPattern(pattern, [...path, pattern], true));
  if (name === '$ref' && index.target(place, value as string) === undefined)
    return [
      {
        path,
        message: `"${value}" leads to nothing in this schema`,
        hint: 'Refer to a schema under $defs, as "#/$defs/name": other documents are not fetched',
      },
    ];
  return [];
}

function unknownKeyword(name: string, path: SchemaPath, { draft }: SchemaIndex): SchemaProblem {
  const hint = insteadOf(draft, name) ?? keywordHint(name, keywordNames(draft));
  return {
    path,
    atKey: true,
    message: `"${name}" is not a keyword of JSON Schema and would bind nobody`,
    hint,
  };
}

function keywordHint(name: string, known: readonly string[]): string {
  const hint = suggest(name, known);
  return hint.startsWith('did')
    ? sentence(hint)
    : `Leave it out, or write "x-${name}" for a note of your own`;
}

function unknownFormat(name: string, path: SchemaPath): SchemaProblem {
  const hint = suggest(name, formatNames());
  const instead =
    insteadOfFormat(name) ?? (hint.startsWith('did') ? sentence(hint) : `Known: ${formatNames().join(', ')}`);
  return { path, message: `Format "${name}" is not known and would bind nobody`, hint: instead };
}

function checkPattern(pattern: string, path: SchemaPath, atKey?: boolean): SchemaProblem[] {
  try {
    compilePattern(pattern);
    return [];
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unreadable';
    return [
      {
        path,
        ...(atKey && { atKey }),
        message: `The pattern cannot be used: ${why}`,
        hint: 'Use RE2 syntax: no lookaround, no backreference',
      },
    ];
  }
}

function shapeHint(name: string, value: unknown): string {
  if (typeof value === 'boolean' && name.startsWith('exclusive'))
    return `Draft 4 wrote it so; now write ${name}: <the number> and leave ${name === 'exclusiveMinimum' ? 'minimum' : 'maximum'} out`;
  if (typeof value === 'boolean' && name === 'required') return 'Write required: [<name>] beside properties:';
  if (name === 'items' && Array.isArray(value))
    return 'Write prefixItems: for the first ones, and items: for the rest';
  const like = name === 'type' && typeof value === 'string' ? suggest(value, JSON_TYPES) : '';
  return like.startsWith('did') ? sentence(like) : 'Mend the value';
}
