import type { SchemaProblem } from './check.ts';
import type { JsonSchema } from './json-schema.ts';
import type { Draft } from './keywords.ts';
import { SchemaIndex, TooLarge } from './refs.ts';

type Indexed = { ok: true; value: SchemaIndex } | { ok: false; problems: SchemaProblem[] };

/** A manifest asks for the same one again and again. */
const indexes = new WeakMap<JsonSchema, Indexed>();

/** The places and references of a schema, or why it has none that could be enforced. */
export function indexOf(schema: JsonSchema | boolean): Indexed {
  const known = typeof schema === 'boolean' ? undefined : indexes.get(schema);
  if (known) return known;
  const indexed = newIndex(schema);
  if (typeof schema !== 'boolean') indexes.set(schema, indexed);
  return indexed;
}

function newIndex(schema: JsonSchema | boolean): Indexed {
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
