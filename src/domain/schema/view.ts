import { indexOf } from './index-of.ts';
import { asSchema, type JsonSchema } from './json-schema.ts';
import { sameValue } from './paths.ts';
import type { Place, SchemaIndex } from './refs.ts';

/** Schemas refer to one another in so many ways that nobody wrote: then the rest is left open. */
const PLACES_MAX = 5_000;

const views = new WeakMap<JsonSchema, JsonSchema>();

/**
 * What a schema says for certain of each member and item, with references followed and `allOf` put together: what
 * conditions are type-checked against. What is said by choices (`anyOf`, `if`) is left out, and so is what leads back to
 * itself: there a value may be anything.
 */
export function plainView(schema: JsonSchema): JsonSchema {
  const known = views.get(schema);
  if (known) return known;
  const view = needsView(schema) ? viewOf(schema) : schema;
  views.set(schema, view);
  return view;
}

/** Most schemas say what they say where it stands. */
const needsView = (schema: JsonSchema): boolean =>
  /"(?:\$ref|allOf|prefixItems)":/.test(JSON.stringify(schema));

function viewOf(schema: JsonSchema): JsonSchema {
  const index = indexOf(schema);
  return index.ok ? new Viewer(index.value).at([index.value.root], []) : {};
}

class Viewer {
  #left = PLACES_MAX;

  constructor(readonly index: SchemaIndex) {}

  /** What several schemas of one value say together; `above` are the places that the value lies in. */
  at(places: readonly Place[], above: readonly Place[]): JsonSchema {
    const together = this.#together(places);
    if (--this.#left < 0 || together.some((place) => above.includes(place))) return {};
    const within = [...above, ...together];
    const schemas = together.flatMap(({ schema }): JsonSchema[] => {
      const own = asSchema(schema);
      return own ? [own] : [];
    });
    const inside = (keyword: string): Map<string, Place[]> => this.#inside(together, keyword);
    const view: Record<string, unknown> = { ...scalarsOf(schemas) };
    const required = schemas.flatMap((one) => (Array.isArray(one.required) ? one.required : []));
    if (required.length > 0) view.required = [...new Set(required)];
    const properties = [...inside('properties')];
    if (properties.length > 0)
      view.properties = Object.fromEntries(properties.map(([name, found]) => [name, this.at(found, within)]));
    const items = inside('items').get('') ?? [];
    if (items.length > 0 && !schemas.some(({ prefixItems }) => prefixItems !== undefined))
      view.items = this.at(items, within);
    const rest = inside('additionalProperties').get('') ?? [];
    if (rest.length > 0)
      view.additionalProperties = rest.some(({ schema }) => schema === false) ? false : this.at(rest, within);
    return view;
  }

  /** The schemas that hold for the same value in any case. In draft 7 nothing counts beside a `$ref`. */
  #together(places: readonly Place[]): Place[] {
    const found = sameValue(places, this.index, ({ keyword }) => keyword === 'allOf');
    return this.index.draft === '7' ? found.filter((place) => !refersOn(place, this.index)) : found;
  }

  /** The places below a keyword, by name; a keyword with one schema has it under the empty name. */
  #inside(places: readonly Place[], keyword: string): Map<string, Place[]> {
    const found = new Map<string, Place[]>();
    for (const place of places) {
      for (const inner of this.index.inside(place)) {
        if (inner.keyword !== keyword || typeof inner.path[1] === 'number') continue;
        const name = String(inner.path[1] ?? '');
        found.set(name, [...(found.get(name) ?? []), inner.place]);
      }
    }
    return found;
  }
}

function refersOn(place: Place, index: SchemaIndex): boolean {
  const reference = asSchema(place.schema)?.$ref;
  return typeof reference === 'string' && index.target(place, reference) !== undefined;
}

const LEAST = ['maxItems', 'maxLength', 'maxProperties'];

/** Types, listed values and sizes. */
function scalarsOf(schemas: readonly JsonSchema[]): Record<string, unknown> {
  const said: Record<string, unknown> = {};
  const types = [...new Set(schemas.flatMap(({ type }) => (typeof type === 'string' ? [type] : [])))];
  const isInteger = types.length === 2 && types.includes('integer') && types.includes('number');
  if (types.length === 1 || isInteger) said.type = isInteger ? 'integer' : types[0];
  for (const one of schemas) {
    if (Array.isArray(one.type) && said.type === undefined) said.type = one.type;
    if ('enum' in one) said.enum ??= one.enum;
    if ('const' in one) said.const ??= one.const;
    for (const keyword of LEAST)
      if (typeof one[keyword] === 'number')
        said[keyword] = Math.min(one[keyword], Number(said[keyword] ?? Number.POSITIVE_INFINITY));
  }
  return said;
}
