import type { JsonType } from './keywords.ts';
import { type Meter, TEXT_PER_STEP } from './meter.ts';

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
  const text = JSON.stringify(sorted(value, meter)) ?? String(value);
  meter.spend(KEY_STEPS + text.length / TEXT_PER_STEP);
  return text;
}

/** Making a key takes longer than looking at a value. */
const KEY_STEPS = 4;

/** The value itself where its members are in order already. */
function sorted(value: unknown, meter: Meter): unknown {
  meter.spend(1);
  if (Array.isArray(value))
    return value.map((item) => (typeof item === 'object' ? sorted(item, meter) : item));
  if (!isObject(value)) return value;
  const names = Object.keys(value);
  const isOrdered = names.every((name, at) => at === 0 || (names[at - 1] as string) < name);
  const isFlat = names.every((name) => typeof value[name] !== 'object');
  if (isOrdered && isFlat) return value;
  return Object.fromEntries(names.sort().map((name) => [name, sorted(value[name], meter)]));
}

/** Whether a text has more characters than `most`; people count code points. */
export const longerThan = (text: string, most: number, meter: Meter): boolean =>
  text.length > most && (text.length > 2 * most || charactersOf(text, meter) > most);

/** Whether a text has fewer characters than `least`. */
export const shorterThan = (text: string, least: number, meter: Meter): boolean =>
  text.length < least || (text.length < 2 * least && charactersOf(text, meter) < least);

function charactersOf(text: string, meter: Meter): number {
  meter.spend(text.length / TEXT_PER_STEP);
  let pairs = 0;
  for (let at = 1; at < text.length; at++) {
    // The second half of a character, after its first.
    if ((text.charCodeAt(at) & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800) pairs++;
  }
  return text.length - pairs;
}
