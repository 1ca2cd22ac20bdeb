import { CelError, CelSpan, CelTime } from './values.ts';

const NANOS_PER_SECOND = 1_000_000_000n;
const NANOS_PER_MS = 1_000_000n;
/** The years 1 to 9999. */
const TIME_MIN = -62_135_596_800n * NANOS_PER_SECOND;
const TIME_MAX = 253_402_300_800n * NANOS_PER_SECOND - 1n;
const SPAN_MAX = 2n ** 63n - 1n;

const TIMESTAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/;
const OFFSET = /^([+-]?)(\d\d):(\d\d)$/;
const UNITS: Readonly<Record<string, bigint>> = {
  h: 3_600n * NANOS_PER_SECOND,
  m: 60n * NANOS_PER_SECOND,
  s: NANOS_PER_SECOND,
  ms: NANOS_PER_MS,
  us: 1_000n,
  µs: 1_000n,
  ns: 1n,
};
const SPAN_PART = /(\d+)(?:\.(\d*))?(h|ms|m|s|us|µs|ns)|\.(\d+)(h|ms|m|s|us|µs|ns)/y;
const TEXT_LENGTH_MAX = 64;

/** @throws CelError outside the years 1 to 9999 */
export function timeOf(nanos: bigint): CelTime {
  if (nanos < TIME_MIN || nanos > TIME_MAX) throw new CelError('A timestamp lies in the years 1 to 9999');
  return new CelTime(nanos);
}

/** @throws CelError beyond 292 years */
export function spanOf(nanos: bigint): CelSpan {
  if (nanos > SPAN_MAX || nanos < -SPAN_MAX) throw new CelError('A duration lasts 292 years at most');
  return new CelSpan(nanos);
}

/** RFC 3339, and nothing that is only like it. @throws CelError */
export function parseTime(text: string): CelTime {
  const match = text.length > TEXT_LENGTH_MAX ? null : TIMESTAMP.exec(text);
  if (!match) throw new CelError('A timestamp is written as 2026-01-31T12:00:00Z');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1, 7).map(Number);
  const [, , , , , , , fraction = '', sign, offsetHour = '0', offsetMinute = '0'] = match;
  const isReal =
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= daysIn(year, month) &&
    hour <= 23 &&
    minute <= 59 &&
    second <= 59 &&
    Number(offsetHour) <= 23 &&
    Number(offsetMinute) <= 59;
  if (!isReal) throw new CelError('There is no such day or time');
  const offset = (sign === '-' ? -1 : 1) * (Number(offsetHour) * 60 + Number(offsetMinute));
  const ms = utcOf(year, month - 1, day, hour, minute - offset, second);
  return timeOf(BigInt(ms) * NANOS_PER_MS + BigInt(fraction.padEnd(9, '0')));
}

/** `Date.UTC` takes the years 0 to 99 for others. What is beyond a minute's hour or a day's month carries over. */
function utcOf(year: number, month: number, day: number, ...time: [number, number, number]): number {
  const date = new Date(0);
  date.setUTCFullYear(year, month, day);
  return date.setUTCHours(...time);
}

const daysIn = (year: number, month: number): number => {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
};

/** As Go writes durations: `1h30m`, `-1.5s`, `250ms`. @throws CelError */
export function parseSpan(text: string): CelSpan {
  const sign = text.startsWith('-') ? -1n : 1n;
  const digits = /^[+-]/.test(text) ? text.slice(1) : text;
  if (digits === '0') return spanOf(0n);
  let nanos = 0n;
  SPAN_PART.lastIndex = 0;
  const ok = text.length <= TEXT_LENGTH_MAX && digits !== '';
  while (ok && SPAN_PART.lastIndex < digits.length) {
    const part = SPAN_PART.exec(digits);
    if (!part) throw new CelError('A duration is written as 1h30m, 90s or 250ms');
    const [, whole = '0', fraction = part[4] ?? '', unit = part[5] ?? ''] = part;
    const each = UNITS[unit] ?? 0n;
    nanos += BigInt(whole) * each + (BigInt(fraction || '0') * each) / 10n ** BigInt(fraction.length);
  }
  if (!ok) throw new CelError('A duration is written as 1h30m, 90s or 250ms');
  return spanOf(sign * nanos);
}

/** A time as its parts at a place; without one in UTC. */
type Parts = Record<
  'year' | 'month' | 'day' | 'hour' | 'minute' | 'second' | 'ms' | 'weekday' | 'yearday',
  number
>;

/** The parts that conditions may ask for, by the name of the function. */
export const TIME_PARTS: Readonly<Record<string, (parts: Parts) => number>> = {
  getFullYear: ({ year }) => year,
  getMonth: ({ month }) => month,
  getDate: ({ day }) => day,
  getDayOfMonth: ({ day }) => day - 1,
  getDayOfWeek: ({ weekday }) => weekday,
  getDayOfYear: ({ yearday }) => yearday,
  getHours: ({ hour }) => hour,
  getMinutes: ({ minute }) => minute,
  getSeconds: ({ second }) => second,
  getMilliseconds: ({ ms }) => ms,
};

/** Whole units of a duration, and for milliseconds those beyond the whole second. */
export const SPAN_PARTS: Readonly<Record<string, (nanos: bigint) => bigint>> = {
  getHours: (nanos) => nanos / (3_600n * NANOS_PER_SECOND),
  getMinutes: (nanos) => nanos / (60n * NANOS_PER_SECOND),
  getSeconds: (nanos) => nanos / NANOS_PER_SECOND,
  getMilliseconds: (nanos) => (nanos % NANOS_PER_SECOND) / NANOS_PER_MS,
};

/** @throws CelError for a zone that is not known */
export function partsOf({ nanos }: CelTime, zone: string): Parts {
  const ms = floorDiv(nanos, NANOS_PER_MS);
  const local = new Date(Number(ms) + offsetMs(Number(ms), zone));
  const yearStart = utcOf(local.getUTCFullYear(), 0, 1, 0, 0, 0);
  return {
    year: local.getUTCFullYear(),
    month: local.getUTCMonth(),
    day: local.getUTCDate(),
    hour: local.getUTCHours(),
    minute: local.getUTCMinutes(),
    second: local.getUTCSeconds(),
    ms: local.getUTCMilliseconds(),
    weekday: local.getUTCDay(),
    yearday: Math.floor((local.getTime() - yearStart) / 86_400_000),
  };
}

const floorDiv = (a: bigint, b: bigint): bigint => (a >= 0n ? a / b : -((-a + b - 1n) / b));

function offsetMs(ms: number, zone: string): number {
  if (zone === '' || zone === 'UTC') return 0;
  const fixed = OFFSET.exec(zone);
  if (fixed) {
    const [, sign, hours, minutes] = fixed;
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  }
  const whole = Math.floor(ms / 1_000) * 1_000;
  const fields = Object.fromEntries(
    formatFor(zone)
      .formatToParts(whole)
      .map(({ type, value }) => [type, Number(value)]),
  ) as Record<string, number>;
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = fields;
  return utcOf(year, month - 1, day, hour, minute, second) - whole;
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US-u-ca-iso8601', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new CelError('There is no such time zone');
  }
}
