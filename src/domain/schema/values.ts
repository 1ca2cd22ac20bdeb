import type { JsonType } from './keywords.ts';
import type { Meter } from './meter.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export function isOfType(value: unknown, type: JsonType): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      // The remaining types are called as JavaScript calls them.
      return typeof value === type;
  }
}

/** One text for values that are equal in JSON: the order of members does not matter, 1.0 is 1. */
export function sameKey(value: unknown, meter: Meter): string {
  if (typeof value === 'string') {
    meter.spend(1 + value.length / TEXT_PER_STEP);
    return JSON.stringify(value);
  }
  meter.spend(1);
  if (Array.isArray(value)) return `[${value.map((item) => sameKey(item, meter)).join()}]`;
  if (!isObject(value)) return value === 0 ? '0' : String(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${sameKey(value[name], meter)}`).join()}}`;
}

/** How many characters take as long as one step. */
export const TEXT_PER_STEP = 16;

/** Whether a text has more characters than `most`; people count code points. */
export const longerThan = (text: string, most: number, meter: Meter): boolean =>
  text.length > most && (text.length > 2 * most || charactersOf(text, meter) > most);

/** Whether a text has fewer characters than `least`. */
export const shorterThan = (text: string, least: number, meter: Meter): boolean =>
  text.length < least || (text.length < 2 * least && charactersOf(text, meter) < least);

function charactersOf(text: string, meter: Meter): number {
  meter.spend(text.length / TEXT_PER_STEP);
  let count = 0;
  for (const _ of text) count++;
  return count;
}
