import type { Meter } from '../schema/meter.ts';
import { parseSpan, parseTime, partsOf, SPAN_PARTS, TIME_PARTS, timeOf } from './time.ts';
import {
  CelError,
  CelList,
  CelMap,
  CelSpan,
  CelTime,
  type CelValue,
  INT_MAX,
  INT_MIN,
  intOf,
  listOf,
  textSteps,
  typeOf,
} from './values.ts';

/** A function of the condition language; a method gets what it is called on first. */
export type CelFunction = (args: readonly CelValue[], meter: Meter) => CelValue;

/** White space as Unicode has it. */
const SPACES = '\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const TRIM = new RegExp(`^[${SPACES}]+|[${SPACES}]+$`, 'gu');
const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const TRUE_TEXTS = ['1', 't', 'T', 'true', 'TRUE', 'True'];
const FALSE_TEXTS = ['0', 'f', 'F', 'false', 'FALSE', 'False'];
/** Looking up a zone takes long. */
const ZONE_STEPS = 1_000;
/** Taking a text apart takes longer than reading it. */
const LETTERS_PER_STEP = 2;

const wrong = (): never => {
  throw new CelError('The function does not take such a value');
};

function text(value: CelValue | undefined, meter: Meter): string {
  if (typeof value !== 'string') return wrong();
  meter.spend(textSteps(value));
  return value;
}

/** What people count as characters, as far as code points are that. */
function lettersOf(value: CelValue | undefined, meter: Meter): string[] {
  const given = text(value, meter);
  meter.spend(given.length / LETTERS_PER_STEP);
  return [...given];
}

function whole(value: CelValue | undefined): number {
  return typeof value === 'bigint' ? Number(value) : wrong();
}

/** Functions called as `f(x)`. */
export const FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  size: ([value], meter) => sizeOf(value, meter),
  dyn: ([value]) => value ?? null,
  type: ([value]) => typeOf(value ?? null),
  bool: ([value]) => {
    if (typeof value === 'boolean') return value;
    if (typeof value !== 'string') return wrong();
    if (TRUE_TEXTS.includes(value)) return true;
    return FALSE_TEXTS.includes(value) ? false : wrong();
  },
  int: ([value]) => {
    if (typeof value === 'bigint') return value;
    if (typeof value === 'string') return /^[+-]?\d{1,20}$/.test(value) ? intOf(BigInt(value)) : wrong();
    if (typeof value !== 'number' || !(value > Number(INT_MIN) && value < Number(INT_MAX))) return wrong();
    return BigInt(Math.trunc(value));
  },
  double: ([value], meter) => {
    if (typeof value === 'number') return value;
    if (typeof value === 'bigint') return Number(value);
    return doubleOf(text(value, meter));
  },
  string: ([value], meter) => {
    if (typeof value === 'string') return text(value, meter);
    if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    return typeof value === 'number' ? numberText(value) : wrong();
  },
  timestamp: ([value]) => {
    if (value instanceof CelTime) return value;
    if (typeof value === 'bigint') return timeOf(value * 1_000_000_000n);
    return typeof value === 'string' ? parseTime(value) : wrong();
  },
  duration: ([value]) => {
    if (value instanceof CelSpan) return value;
    return typeof value === 'string' ? parseSpan(value) : wrong();
  },
};

/** Functions called as `x.f(y)`. */
export const METHODS: Readonly<Record<string, CelFunction>> = {
  size: ([value], meter) => sizeOf(value, meter),
  startsWith: ([a, b], meter) => text(a, meter).startsWith(text(b, meter)),
  endsWith: ([a, b], meter) => text(a, meter).endsWith(text(b, meter)),
  contains: ([a, b], meter) => text(a, meter).includes(text(b, meter)),
  lowerAscii: ([a], meter) => text(a, meter).replace(/[A-Z]/g, (letter) => letter.toLowerCase()),
  upperAscii: ([a], meter) => text(a, meter).replace(/[a-z]/g, (letter) => letter.toUpperCase()),
  trim: ([a], meter) => text(a, meter).replace(TRIM, ''),
  indexOf: ([a, b, from], meter) => indexOf(lettersOf(a, meter), lettersOf(b, meter), from, meter),
  lastIndexOf: ([a, b, from], meter) => lastIndexOf(lettersOf(a, meter), lettersOf(b, meter), from, meter),
  substring: ([a, from, to], meter) => {
    const letters = lettersOf(a, meter);
    const [start, end] = [whole(from), to === undefined ? letters.length : whole(to)];
    if (start < 0 || end > letters.length || start > end)
      throw new CelError('There is no such part of the text');
    return letters.slice(start, end).join('');
  },
  split: ([a, b, most], meter) => split(text(a, meter), text(b, meter), most, meter),
  join: ([list, by], meter) => {
    if (!(list instanceof CelList)) return wrong();
    const separator = by === undefined ? '' : text(by, meter);
    return Array.from({ length: list.length }, (_, at) => text(list.at(at), meter)).join(separator);
  },
  ...Object.fromEntries(Object.keys(TIME_PARTS).map((name) => [name, timePart(name)])),
};

function sizeOf(value: CelValue | undefined, meter: Meter): bigint {
  if (typeof value === 'string') return BigInt(lettersOf(value, meter).length);
  if (value instanceof CelList) return BigInt(value.length);
  return value instanceof CelMap ? BigInt(value.keys().length) : wrong();
}

function timePart(name: string): CelFunction {
  return ([value, zone], meter) => {
    const ofSpan = SPAN_PARTS[name];
    if (value instanceof CelSpan && ofSpan && zone === undefined) return ofSpan(value.nanos);
    const part = TIME_PARTS[name];
    if (!(value instanceof CelTime) || !part) return wrong();
    if (zone !== undefined) meter.spend(ZONE_STEPS);
    return BigInt(part(partsOf(value, zone === undefined ? '' : text(zone, meter))));
  };
}

function doubleOf(given: string): number {
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(given);
  if (special) {
    if (special[2]?.toLowerCase() === 'nan') return Number.NaN;
    return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = FLOAT.test(given) ? Number(given) : Number.NaN;
  return Number.isFinite(value) ? value : wrong();
}

/** The shortest text of a double, with an exponent below 1e-4 and from 1e21 on. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  return Object.is(value, -0) ? '-0' : String(value);
}

function indexOf(letters: string[], wanted: string[], from: CelValue | undefined, meter: Meter): bigint {
  const start = from === undefined ? 0 : whole(from);
  if (from !== undefined && (start < 0 || start > letters.length))
    throw new CelError('There is no such place');
  for (let at = start; at + wanted.length <= letters.length; at++)
    if (isAt(letters, wanted, at, meter)) return BigInt(at);
  return -1n;
}

function lastIndexOf(letters: string[], wanted: string[], from: CelValue | undefined, meter: Meter): bigint {
  const start = from === undefined ? letters.length : whole(from);
  if (from !== undefined && (start < 0 || start > letters.length))
    throw new CelError('There is no such place');
  for (let at = Math.min(start, letters.length - wanted.length); at >= 0; at--)
    if (isAt(letters, wanted, at, meter)) return BigInt(at);
  return -1n;
}

function isAt(letters: readonly string[], wanted: readonly string[], at: number, meter: Meter): boolean {
  for (let index = 0; index < wanted.length; index++) {
    meter.spend(1);
    if (letters[at + index] !== wanted[index]) return false;
  }
  meter.spend(1);
  return true;
}

function split(given: string, by: string, most: CelValue | undefined, meter: Meter): CelList {
  const limit = most === undefined ? -1 : whole(most);
  meter.spend(given.length / LETTERS_PER_STEP);
  const parts = by === '' ? [...given] : given.split(by);
  if (limit < 0 || parts.length <= limit) return listOf(parts);
  return listOf(limit === 0 ? [] : [...parts.slice(0, limit - 1), parts.slice(limit - 1).join(by)]);
}
