import { suggest } from '../nearest.ts';
import { EVERY_MEMBER } from './every-member.ts';
import { indexOf } from './index-of.ts';
import { asSchema, type JsonSchema } from './json-schema.ts';
import { Meter } from './meter.ts';
import { compilePattern } from './pattern.ts';
import type { Inner, Place, SchemaIndex } from './refs.ts';

/**
 * Follows `passengers[].dob` or `payment.id` through a schema, wherever it says what a value is: references, `allOf`
 * and its like, lists, maps. Says where the path leads nowhere.
 */
export function schemaAt(schema: JsonSchema, path: string): { found: true } | { found: false; hint: string } {
  const index = indexOf(schema);
  if (!index.ok) return { found: false, hint: 'mend the schema first' };
  let here = sameValue([index.value.root], index.value);
  for (const part of path.split('.')) {
    const name = part.replace(/(\[\])+$/, '');
    const next = membersCalled(name, here, index.value);
    if (next.length === 0) return { found: false, hint: suggest(name, memberNames(here)) };
    here = sameValue(next, index.value);
    for (let depth = (part.length - name.length) / 2; depth > 0; depth--) {
      const items = itemsOf(here, index.value);
      if (items.length === 0) return { found: false, hint: `"${name}" is not a list: write it without []` };
      here = sameValue(items, index.value);
    }
  }
  return { found: true };
}

/** The places and all others that speak about the same value, through references and combinations. */
export function sameValue(
  places: readonly Place[],
  index: SchemaIndex,
  follows = ({ about, keyword }: Inner): boolean => about === 'same' && keyword !== 'not',
): Place[] {
  const seen = new Set<Place>();
  const waiting = [...places];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    if (seen.has(place)) continue;
    seen.add(place);
    const schema = asSchema(place.schema);
    if (schema === undefined) continue;
    const target = typeof schema.$ref === 'string' ? index.target(place, schema.$ref) : undefined;
    if (target) waiting.push(target);
    // There nothing counts beside a reference.
    if (target && index.draft === '7') continue;
    for (const inner of index.inside(place)) if (follows(inner)) waiting.push(inner.place);
  }
  return [...seen];
}

/** The names that schemas of one value declare. */
export const memberNames = (places: readonly Place[]): string[] => [
  ...new Set(places.flatMap(({ schema }) => Object.keys(asSchema(asSchema(schema)?.properties) ?? {}))),
];

/** The schemas of the member `name`; every member's for `*`. */
export function membersCalled(name: string, places: readonly Place[], index: SchemaIndex): Place[] {
  return places.flatMap((place) => {
    const inner = index.inside(place);
    const named = inner.filter(
      ({ keyword, path }) =>
        (keyword === 'properties' && (name === EVERY_MEMBER || path[1] === name)) ||
        (keyword === 'patternProperties' && (name === EVERY_MEMBER || matches(String(path[1]), name))),
    );
    const rest = inner.filter(
      ({ keyword, schema: allowed }) => REST_OF_MEMBERS.includes(keyword) && allowed !== false,
    );
    const chosen = name === EVERY_MEMBER ? [...named, ...rest] : named.length > 0 ? named : rest;
    return chosen.map((one) => one.place);
  });
}

const REST_OF_MEMBERS = ['additionalProperties', 'unevaluatedProperties'];
const ITEMS = ['items', 'prefixItems', 'additionalItems', 'unevaluatedItems'];

function itemsOf(places: readonly Place[], index: SchemaIndex): Place[] {
  return places.flatMap((place) =>
    index
      .inside(place)
      .filter(({ keyword, schema: allowed }) => ITEMS.includes(keyword) && allowed !== false)
      .map((one) => one.place),
  );
}

function matches(pattern: string, name: string): boolean {
  try {
    return compilePattern(pattern).test(name, new Meter());
  } catch {
    return false;
  }
}
