import { type Meter, TEXT_PER_STEP } from '../schema/meter.ts';

/** A value of the condition language: `bigint` is int, `number` is double. */
export type CelValue =
  | null
  | boolean
  | bigint
  | number
  | string
  | CelTime
  | CelSpan
  | CelList
  | CelMap
  | CelType;

/** What an expression answers instead of a value. No `Error`: it is thrown often, and nobody reads its stack. */
export class CelError {
  constructor(readonly message: string) {}
}

/** A point in time, in nanoseconds since 1970. */
export class CelTime {
  constructor(readonly nanos: bigint) {}
}

/** A length of time, in nanoseconds. */
export class CelSpan {
  constructor(readonly nanos: bigint) {}
}

/** What `type()` answers. */
export class CelType {
  constructor(readonly name: string) {}
}

/** A list; items may become values only when they are looked at. */
export abstract class CelList {
  abstract readonly length: number;
  abstract at(index: number): CelValue;
}

/** A map, or an object of the arguments. */
export abstract class CelMap {
  abstract keys(): readonly MapKey[];
  abstract has(key: MapKey): boolean;
  /** Nothing where there is no such member. */
  abstract get(key: MapKey): CelValue | undefined;
}

export type MapKey = string | bigint | boolean;

export const INT_MAX = 2n ** 63n - 1n;
export const INT_MIN = -(2n ** 63n);

/** @throws CelError beyond 64 bits */
export function intOf(value: bigint): bigint {
  if (value > INT_MAX || value < INT_MIN) throw new CelError('The number is too large for an int');
  return value;
}

/** A list of values that are there. */
export class ValueList extends CelList {
  readonly length: number;

  constructor(readonly items: readonly CelValue[]) {
    super();
    this.length = items.length;
  }

  at(index: number): CelValue {
    return this.items[index] as CelValue;
  }
}

/** A map of values that are there. */
export class ValueMap extends CelMap {
  constructor(readonly members: ReadonlyMap<MapKey, CelValue>) {
    super();
  }

  keys(): readonly MapKey[] {
    return [...this.members.keys()];
  }

  has(key: MapKey): boolean {
    return this.members.has(key);
  }

  get(key: MapKey): CelValue | undefined {
    return this.members.get(key);
  }
}

export const listOf = (items: readonly CelValue[]): CelList => new ValueList(items);

/** What working through a text takes. */
export const textSteps = (text: string): number => 1 + text.length / TEXT_PER_STEP;

/** Numbers are equal across int and double; lists and maps by what they hold. */
export function equal(a: CelValue, b: CelValue, meter: Meter): boolean {
  meter.spend(1);
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b) === 0;
  if (typeof a === 'string') {
    if (typeof b !== 'string') return false;
    if (a.length === b.length) meter.spend(a.length / TEXT_PER_STEP);
    return a === b;
  }
  if (a instanceof CelType) return b instanceof CelType && a.name === b.name;
  if (a instanceof CelTime) return b instanceof CelTime && a.nanos === b.nanos;
  if (a instanceof CelSpan) return b instanceof CelSpan && a.nanos === b.nanos;
  if (a instanceof CelList) return b instanceof CelList && equalLists(a, b, meter);
  if (a instanceof CelMap) return b instanceof CelMap && equalMaps(a, b, meter);
  return a === b;
}

function equalLists(a: CelList, b: CelList, meter: Meter): boolean {
  if (a.length !== b.length) return false;
  for (let index = 0; index < a.length; index++) if (!equal(a.at(index), b.at(index), meter)) return false;
  return true;
}

function equalMaps(a: CelMap, b: CelMap, meter: Meter): boolean {
  const keys = a.keys();
  meter.spend(keys.length);
  if (keys.length !== b.keys().length) return false;
  return keys.every((key) => {
    const [left, right] = [a.get(key), b.get(key)];
    return left !== undefined && right !== undefined && equal(left, right, meter);
  });
}

/** The type of a value. */
export function typeOf(value: CelValue): CelType {
  if (value === null) return new CelType('null_type');
  if (value instanceof CelList) return new CelType('list');
  if (value instanceof CelMap) return new CelType('map');
  if (value instanceof CelTime) return new CelType('google.protobuf.Timestamp');
  if (value instanceof CelSpan) return new CelType('google.protobuf.Duration');
  if (value instanceof CelType) return new CelType('type');
  return new CelType(SCALAR_TYPES[typeof value] ?? typeof value);
}

const SCALAR_TYPES: Readonly<Record<string, string>> = { boolean: 'bool', bigint: 'int', number: 'double' };

/** The types that a condition may name. */
export const TYPE_NAMES: ReadonlySet<string> = new Set([
  ...['string', 'bool', 'int', 'double', 'map', 'list', 'null_type', 'type'],
]);

const isNumber = (value: CelValue): value is bigint | number =>
  typeof value === 'bigint' || typeof value === 'number';

const RANGE = 2 ** 63;

/** Below, at or above zero; NaN when one of the two is none. An int meets a double as a double. */
function compareNumbers(a: bigint | number, b: bigint | number): number {
  if (typeof a === 'bigint' && typeof b === 'bigint') return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'bigint') return -compareNumbers(b, a);
  if (typeof b === 'bigint') {
    if (a < -RANGE) return -1;
    return a > RANGE ? 1 : compareNumbers(a, Number(b));
  }
  return a < b ? -1 : a > b ? 1 : a === b ? 0 : Number.NaN;
}

/**
 * Below, at or above zero; NaN for doubles that have no order.
 * @throws CelError for values that are not compared
 */
export function compare(a: CelValue, b: CelValue, meter: Meter): number {
  if (isNumber(a) && isNumber(b)) return compareNumbers(a, b);
  if (typeof a === 'string' && typeof b === 'string') {
    meter.spend(Math.min(a.length, b.length) / TEXT_PER_STEP);
    return compareTexts(a, b);
  }
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if ((a instanceof CelTime && b instanceof CelTime) || (a instanceof CelSpan && b instanceof CelSpan))
    return a.nanos < b.nanos ? -1 : a.nanos > b.nanos ? 1 : 0;
  throw new CelError('These values have no order');
}

/** By code point: JavaScript compares halves of characters. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [left, right] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (left !== right) return unitOrder(left) - unitOrder(right);
  }
  return a.length - b.length;
}

/** Surrogates stand for characters beyond all others. */
const unitOrder = (unit: number): number => (unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit);

/** A value as a key of a map; a double is one when it is whole. */
export function keyOf(value: CelValue): MapKey | undefined {
  if (typeof value === 'number') return Number.isInteger(value) ? BigInt(value) : undefined;
  if (typeof value === 'string' || typeof value === 'bigint' || typeof value === 'boolean') return value;
  throw new CelError('A key is text, an int or a bool');
}
