/** A JSON Schema as a manifest holds it: a plain object, not looked into further. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The member `key` of a schema's `properties`, if it is there. */
export function propertyOf(schema: unknown, key: string): JsonSchema | undefined {
  const properties = asSchema(asSchema(schema)?.properties);
  return properties !== undefined && Object.hasOwn(properties, key) ? asSchema(properties[key]) : undefined;
}

/** `value` as a schema object, or nothing. */
export const asSchema = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonSchema) : undefined;
