import type { NamedLists } from '../lists.ts';
import type { JsonSchema } from '../schema/json-schema.ts';

/** What an attribute of a token is. */
export type AttributeType = 'string' | 'bool' | 'int' | 'double';

/** What a condition may name: `context` always, with `args` (a tool's schema) also `args` and `subject`, and `lists`. */
export interface ConditionScope {
  args?: JsonSchema;
  attributes: Readonly<Record<string, AttributeType>>;
  /** Of the manifest that the condition stands in. */
  lists?: NamedLists;
}
