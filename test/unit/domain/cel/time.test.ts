import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  parseSpan,
  parseTime,
  partsOf,
  SPAN_PARTS,
  spanOf,
  timeOf,
} from '../../../../src/domain/cel/time.ts';
import { CelError } from '../../../../src/domain/cel/values.ts';

const DAY_S = 86_400n;
const nanosOf = (text: string) => parseTime(text).nanos;
const seconds = (count: bigint) => count * 1_000_000_000n;

describe('parseTime()', () => {
  test('reads whatever moment the platform writes, at whatever offset', () => {
    const moment = fc.date({
      min: new Date('0001-01-02T00:00:00Z'),
      max: new Date('9999-12-30T00:00:00Z'),
      noInvalidDate: true,
    });
    const offset = fc.integer({ min: -23 * 60 - 59, max: 23 * 60 + 59 });
    fc.assert(
      fc.property(moment, offset, (date, minutes) => {
        const ms = date.getTime();
        expect(nanosOf(date.toISOString())).toBe(BigInt(ms) * 1_000_000n);
        const local = new Date(ms + minutes * 60_000).toISOString().replace('Z', '');
        const two = (n: number) => String(n).padStart(2, '0');
        const size = Math.abs(minutes);
        const zone = `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
        expect(nanosOf(local + zone)).toBe(BigInt(ms) * 1_000_000n);
      }),
      // Only a leap year has the day between.
      { examples: [[new Date('4014-02-28T00:01:00.000Z'), 1439]] },
    );
  });

  test('knows every day of the calendar and no other', () => {
    const daysOf = (year: number, month: number) =>
      Array.from({ length: 33 }, (_, day) => day).filter((day) => {
        const text = `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
        try {
          return nanosOf(`${text}T00:00:00Z`) !== undefined;
        } catch {
          return false;
        }
      });
    const lengths = (year: number) =>
      Array.from({ length: 14 }, (_, month) => daysOf(year, month)).map((days) =>
        days.length === 0 ? 0 : (days[0] === 1 ? 1 : -1) * (days.at(-1) ?? 0),
      );
    const of = (february: number) => [0, 31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0];
    expect(lengths(2026)).toEqual(of(28));
    expect(lengths(2024)).toEqual(of(29));
    expect(lengths(1900)).toEqual(of(28));
    expect(lengths(2000)).toEqual(of(29));
  });

  test.each([
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:60:00Z',
    '2026-01-01T00:00:60Z',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00+00:60',
    '2026-01-01T00:00:00',
    '2026-01-01 00:00:00Z',
    '2026-01-01T00:00:00.Z',
    '2026-01-01T00:00:00.1234567890Z',
    '0000-12-31T00:00:00Z',
    '0001-01-01T00:00:00+00:01',
    '9999-12-31T23:59:59-00:01',
  ])('refuses %s', (text) => {
    expect(() => parseTime(text)).toThrow(CelError);
  });

  test('reads the last of each, a fraction to its last digit, and the years below 100', () => {
    expect(nanosOf('1970-01-01T23:59:59Z')).toBe(seconds(DAY_S - 1n));
    expect(nanosOf('1970-01-01T00:00:00+23:59')).toBe(seconds(-(DAY_S - 60n)));
    expect(nanosOf('1970-01-01T00:00:00.5Z')).toBe(500_000_000n);
    expect(nanosOf('1970-01-01T00:00:00.000000001Z')).toBe(1n);
    expect(nanosOf('0001-01-01T00:00:00Z')).toBe(seconds(-62_135_596_800n));
    expect(partsOf(parseTime('0099-12-31T12:00:00Z'), '').year).toBe(99);
    const [first, last] = [nanosOf('0001-01-01T00:00:00Z'), nanosOf('9999-12-31T23:59:59.999999999Z')];
    expect([timeOf(first).nanos, timeOf(last).nanos]).toEqual([first, last]);
    expect(() => timeOf(first - 1n)).toThrow(CelError);
    expect(() => timeOf(last + 1n)).toThrow(CelError);
  });
});

describe('parseSpan()', () => {
  test.each([
    ['0', 0n],
    ['-0', 0n],
    ['1h30m', seconds(5_400n)],
    ['-1.5s', -1_500_000_000n],
    ['+1.5s', 1_500_000_000n],
    ['250ms', 250_000_000n],
    ['1us', 1_000n],
    ['1µs', 1_000n],
    ['7ns', 7n],
    ['.5m', seconds(30n)],
    ['1.h', seconds(3_600n)],
    [`${'0'.repeat(62)}1s`, seconds(1n)],
    ['2h3m4s5ms6us7ns', seconds(7_384n) + 5_006_007n],
  ])('%s', (text, nanos) => {
    expect(parseSpan(text).nanos).toBe(nanos);
  });

  test.each([
    '',
    '-',
    '+',
    '1',
    'h',
    '1x',
    '1h ',
    ' 1h',
    '1h-1m',
    '--1h',
    '1 h',
    `${'0'.repeat(63)}1s`,
    '.s',
  ])('refuses "%s"', (text) => {
    expect(() => parseSpan(text)).toThrow(CelError);
  });

  test('holds 292 years either way, and no more', () => {
    const most = 2n ** 63n - 1n;
    expect(spanOf(most).nanos).toBe(most);
    expect(spanOf(-most).nanos).toBe(-most);
    expect(() => spanOf(most + 1n)).toThrow(CelError);
    expect(() => spanOf(-most - 1n)).toThrow(CelError);
    expect(() => parseSpan('2562048h')).toThrow(CelError);
  });

  test('its parts are whole units, milliseconds those beyond the second', () => {
    const { nanos } = parseSpan('1h30m2.345s');
    const parts = Object.entries(SPAN_PARTS).map(([name, of]) => [name, of(nanos)]);
    expect(Object.fromEntries(parts)).toEqual({
      getHours: 1n,
      getMinutes: 90n,
      getSeconds: 5_402n,
      getMilliseconds: 345n,
    });
  });
});

describe('partsOf()', () => {
  test('are those of the place', () => {
    const at = parseTime('2026-03-01T00:30:15.250Z');
    expect(partsOf(at, '')).toEqual({
      year: 2026,
      month: 2,
      day: 1,
      hour: 0,
      minute: 30,
      second: 15,
      ms: 250,
      weekday: 0,
      yearday: 59,
    });
    expect(partsOf(at, 'UTC')).toEqual(partsOf(at, ''));
    expect(partsOf(at, '-01:00')).toMatchObject({ month: 1, day: 28, hour: 23, weekday: 6, yearday: 58 });
    expect(partsOf(at, '+05:45')).toMatchObject({ day: 1, hour: 6, minute: 15, second: 15, ms: 250 });
    expect(partsOf(at, 'America/New_York')).toMatchObject({ month: 1, day: 28, hour: 19, ms: 250 });
    expect(() => partsOf(at, 'Mars/Olympus')).toThrow(CelError);
  });

  test('before 1970 a part of a millisecond belongs to the one it is in', () => {
    expect(partsOf(timeOf(-1n), '')).toMatchObject({ year: 1969, second: 59, ms: 999 });
    expect(partsOf(timeOf(-1_000_000n), '')).toMatchObject({ year: 1969, second: 59, ms: 999 });
    expect(partsOf(timeOf(-1_000_001n), '')).toMatchObject({ ms: 998 });
    expect(partsOf(timeOf(-1n), 'Europe/Berlin')).toMatchObject({ year: 1970, hour: 0, second: 59, ms: 999 });
  });
});
