import { asSchema, type JsonSchema, propertyOf } from '../schema/json-schema.ts';
import { type ASTNode, selectedName } from './ast.ts';

/** What the variables of a condition hold, by name. */
export type Schemas = ReadonlyMap<string, JsonSchema | undefined>;

/** The schema of what a node stands for, as far as it can be followed. */
export function schemaOf(node: ASTNode, schemas: Schemas): JsonSchema | undefined {
  if (node.op === 'id') return schemas.get(node.args);
  const selected = selectedName(node);
  if (selected) {
    const owner = schemaOf(selected.from, schemas);
    return propertyOf(owner, selected.name) ?? asSchema(owner?.additionalProperties);
  }
  if (node.op === '[]') return asSchema(schemaOf(node.args[0], schemas)?.items);
  if (node.op === 'rcall' && node.args[0] === 'filter') return schemaOf(node.args[1], schemas);
  return undefined;
}

/** The schema of an item of the list that a node stands for. */
export const itemSchemaOf = (list: ASTNode, schemas: Schemas): JsonSchema | undefined =>
  asSchema(schemaOf(list, schemas)?.items);
