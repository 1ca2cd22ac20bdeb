import { indexOf } from './index-of.ts';
import { asSchema, type JsonSchema } from './json-schema.ts';
import { sameValue } from './paths.ts';
import type { Place, SchemaIndex } from './refs.ts';

/** Arguments are an object, whether the schema says so or not. */
const ROOT = 'args';

/**
 * Where a schema lets members through that it does not declare, as `args/customer`; nothing when it is closed
 * everywhere. A map that says what it holds declares its members.
 */
export function openPlace(schema: JsonSchema): string | undefined {
  const index = indexOf(schema);
  return index.ok ? find([index.value.root], ROOT, index.value, new Set()) : ROOT;
}

function find(
  places: readonly Place[],
  at: string,
  index: SchemaIndex,
  seen: Set<string>,
): string | undefined {
  const together = sameValue(places, index);
  const key = together
    .map(({ path }) => path.join('/'))
    .sort()
    .join(' ');
  if (seen.has(key)) return undefined;
  seen.add(key);
  const schemas = together.map(({ schema }) => asSchema(schema)).filter((schema) => schema !== undefined);
  if (together.some(({ schema }) => schema === false)) return undefined;
  const types = schemas.flatMap(({ type }) => (type === undefined ? [] : [[type].flat()]));
  const may = (type: string): boolean => types.every((list) => list.includes(type));
  const listsValues = schemas.some((one) => 'enum' in one || 'const' in one);
  if (listsValues) return undefined;
  if (may('object') && !schemas.some(closesMembers)) return at;
  if (at !== ROOT && may('array') && !schemas.some(saysItems)) return `${at}[]`;
  for (const [name, inner] of insideOf(together, index)) {
    const found = find(inner, `${at}${name}`, index, seen);
    if (found) return found;
  }
  return undefined;
}

const REST = ['additionalProperties', 'unevaluatedProperties'];
const ITEMS = ['items', 'additionalItems', 'unevaluatedItems'];

const saysSomething = (schema: unknown): boolean =>
  schema === false || (asSchema(schema) !== undefined && Object.keys(asSchema(schema) ?? {}).length > 0);
const closesMembers = (schema: JsonSchema): boolean => REST.some((keyword) => saysSomething(schema[keyword]));
const saysItems = (schema: JsonSchema): boolean => ITEMS.some((keyword) => keyword in schema);

/** The schemas of each member and of the items, by how a path goes on. */
function insideOf(together: readonly Place[], index: SchemaIndex): Map<string, Place[]> {
  const inside = new Map<string, Place[]>();
  for (const place of together) {
    for (const inner of index.inside(place)) {
      if (inner.about !== 'member' && inner.about !== 'item') continue;
      const name = inner.about === 'item' ? '[]' : `/${inner.keyword === 'properties' ? inner.path[1] : '*'}`;
      inside.set(name, [...(inside.get(name) ?? []), inner.place]);
    }
  }
  return inside;
}
