import type { Reason } from '../decision.ts';
import type { CompiledAgent } from './compiled.ts';
import { reason } from './weigh.ts';

type Values = Readonly<Record<string, unknown>>;

/** Every declared attribute must be there: else an agent could pick its segment by leaving one out. */
export function checkAttributes(attributes: Values, agent: CompiledAgent): Reason | undefined {
  for (const [name, type] of agent.attributes) {
    const value = ownValue(attributes, name);
    if (isOfType(value, type)) continue;
    const what = value === undefined ? 'is missing' : `is not a ${type}`;
    const hint = `Send "${name}" as ${type} in the signed attributes`;
    return reason('attribute_missing', `Attribute "${name}" ${what}`, hint);
  }
  return undefined;
}

/** Whether a value is one of a declared attribute. */
export function isOfType(value: unknown, type: 'string' | 'bool' | 'int' | 'double'): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean';
  return type === 'int' ? Number.isSafeInteger(value) : Number.isFinite(value);
}

/** The attributes that the agent declares, and no others. */
export function declaredOnly(attributes: Values, agent: CompiledAgent): Values {
  const context: Record<string, unknown> = {};
  // No name is `__proto__`: manifests with it are refused.
  for (const [name] of agent.attributes) context[name] = ownValue(attributes, name);
  return context;
}

/** What an object holds itself, not what it inherits. */
export function ownValue<T>(
  record: Readonly<Record<string, T>> | undefined | null,
  key: string,
): T | undefined {
  return typeof record === 'object' && record !== null && Object.hasOwn(record, key)
    ? record[key]
    : undefined;
}
