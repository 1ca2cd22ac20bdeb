import type { Environment } from '@marcbachmann/cel-js';
import type { ListEntry, NamedLists } from '../lists.ts';
import type { JsonSchema } from '../schema/json-schema.ts';
import { type CelMap, type MapKey, ValueMap } from './values.ts';

export const LISTS = 'lists';
const TYPE = 'named_lists';

/** The environment tells types apart by constructor. */
class Lists extends Map<string, unknown> {}

/**
 * Declares `lists.<name>`, each a set: `in`, `size()` and a walk. As a map from entry to true, because looking into a
 * list of ten thousand must not take longer than looking into one of ten.
 */
export function declareLists(environment: Environment, lists: NamedLists): CelMap {
  const entries = Object.entries(lists);
  const fields = entries.map(([name, list]) => [name, `map<${hasNumbers(list) ? 'int' : 'string'}, bool>`]);
  environment.registerType(TYPE, { ctor: Lists, fields: Object.fromEntries(fields) });
  environment.registerVariable(LISTS, TYPE);
  return new ValueMap(
    new Map(
      entries.map(([name, list]) => [name, new ValueMap(new Map(list.map((entry) => [keyOf(entry), true])))]),
    ),
  );
}

/** What the rules and the cost of a condition need to know of them: names and sizes. */
export const listsAsSchema = (lists: NamedLists): JsonSchema => ({
  type: 'object',
  properties: Object.fromEntries(
    Object.entries(lists).map(([name, list]) => [name, { type: 'object', maxProperties: list.length }]),
  ),
  required: Object.keys(lists),
  additionalProperties: false,
});

const hasNumbers = (list: readonly ListEntry[]): boolean => typeof list[0] === 'number';
const keyOf = (entry: ListEntry): MapKey => (typeof entry === 'number' ? BigInt(entry) : entry);
