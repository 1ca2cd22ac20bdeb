import type { SchemaPath } from './refs.ts';
import type { Run } from './run.ts';
import { isObject } from './values.ts';

/**
 * Where a value that fits has a member which no schema declares: allowed, and so nobody said what it may hold. A map
 * declares its members by saying what they are; `additionalProperties: true` says nothing.
 */
export function undeclaredIn(value: unknown, run: Run): SchemaPath | undefined {
  return find(value, run.declared(), run, []);
}

/** Finding out what declares a member takes longer than checking it. */
const UNDECLARED_STEPS = 4;

function find(
  value: unknown,
  declared: ReadonlyMap<object, ReadonlySet<string>>,
  run: Run,
  path: SchemaPath,
): SchemaPath | undefined {
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries()) {
      if (typeof item !== 'object' || item === null) continue;
      const found = find(item, declared, run, [...path, at]);
      if (found) return found;
    }
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const names = declared.get(value);
  for (const [name, member] of Object.entries(value)) {
    run.meter.spend(UNDECLARED_STEPS);
    if (!names?.has(name)) return [...path, name];
    const found = find(member, declared, run, [...path, name]);
    if (found) return found;
  }
  return undefined;
}
