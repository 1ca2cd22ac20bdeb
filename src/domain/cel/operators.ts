import type { Meter } from '../schema/meter.ts';
import type { Evaluate } from './frame.ts';
import { spanOf, timeOf } from './time.ts';
import {
  CelError,
  CelList,
  CelMap,
  CelSpan,
  CelTime,
  type CelValue,
  compare,
  equal,
  intOf,
  keyOf,
  textSteps,
  ValueList,
} from './values.ts';

/** An operator with two sides. */
export function binary(op: string, left: Evaluate, right: Evaluate): Evaluate {
  const ordered = (fits: (order: number) => boolean): Evaluate => {
    return (frame) => fits(compare(left(frame), right(frame), frame.meter));
  };
  switch (op) {
    case '==':
      return (frame) => equal(left(frame), right(frame), frame.meter);
    case '!=':
      return (frame) => !equal(left(frame), right(frame), frame.meter);
    case '<':
      return ordered((order) => order < 0);
    case '<=':
      return ordered((order) => order <= 0);
    case '>':
      return ordered((order) => order > 0);
    case '>=':
      return ordered((order) => order >= 0);
    case 'in':
      return (frame) => isIn(left(frame), right(frame), frame.meter);
    default:
      return (frame) => calculate(op, left(frame), right(frame), frame.meter);
  }
}

function isIn(value: CelValue, owner: CelValue, meter: Meter): boolean {
  if (owner instanceof CelMap) {
    const key = keyOf(value);
    return key !== undefined && owner.has(key);
  }
  if (!(owner instanceof CelList)) throw new CelError('"in" needs a list or a map');
  for (let at = 0; at < owner.length; at++) if (equal(value, owner.at(at), meter)) return true;
  return false;
}

function calculate(op: string, a: CelValue, b: CelValue, meter: Meter): CelValue {
  if (typeof a === 'bigint' && typeof b === 'bigint') return intOf(calculateInts(op, a, b));
  if (typeof a === 'number' && typeof b === 'number' && op in DOUBLES) return DOUBLES[op]?.(a, b) ?? 0;
  if (op === '+') return add(a, b, meter);
  if (op === '-' && a instanceof CelTime && b instanceof CelTime) return spanOf(a.nanos - b.nanos);
  if (op === '-' && a instanceof CelTime && b instanceof CelSpan) return timeOf(a.nanos - b.nanos);
  if (op === '-' && a instanceof CelSpan && b instanceof CelSpan) return spanOf(a.nanos - b.nanos);
  throw new CelError(`"${op}" does not take these values`);
}

const DOUBLES: Readonly<Record<string, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

function calculateInts(op: string, a: bigint, b: bigint): bigint {
  if ((op === '/' || op === '%') && b === 0n) throw new CelError('Division by zero');
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default:
      intOf(a / b);
      return a % b;
  }
}

const itemsOf = (list: CelList): CelValue[] => Array.from({ length: list.length }, (_, at) => list.at(at));

function add(a: CelValue, b: CelValue, meter: Meter): CelValue {
  if (typeof a === 'string' && typeof b === 'string') {
    meter.spend(textSteps(a) + textSteps(b));
    return a + b;
  }
  if (a instanceof CelList && b instanceof CelList) {
    meter.spend(a.length + b.length);
    return new ValueList([...itemsOf(a), ...itemsOf(b)]);
  }
  if (a instanceof CelTime && b instanceof CelSpan) return timeOf(a.nanos + b.nanos);
  if (a instanceof CelSpan && b instanceof CelTime) return timeOf(a.nanos + b.nanos);
  if (a instanceof CelSpan && b instanceof CelSpan) return spanOf(a.nanos + b.nanos);
  throw new CelError('"+" does not take these values');
}
