import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Hours,
  hoursProblem,
  isInHours,
  nextOpeningMs,
  type Weekday,
} from '../../../../src/domain/approval/hours.ts';

const MINUTE = 60_000;
const WORKDAYS: Weekday[] = ['mon', 'tue', 'wed', 'thu', 'fri'];
const WEEK: Weekday[] = [...WORKDAYS, 'sat', 'sun'];
const at = (utc: string): number => Date.parse(`${utc}Z`);
const hoursOf = (days: Weekday[], from: string, to: string, timezone = 'Europe/Berlin'): Hours => ({
  days,
  from,
  to,
  timezone,
});
const office = (timezone: string): Hours => hoursOf(WORKDAYS, '08:00', '18:00', timezone);

describe('isInHours()', () => {
  test.each([
    // Berlin: UTC+1 until 2026-03-29 01:00 UTC, then UTC+2 until 2026-10-25 01:00 UTC.
    ['Europe/Berlin', '2026-03-27T06:59:59', false],
    ['Europe/Berlin', '2026-03-27T07:00', true],
    ['Europe/Berlin', '2026-03-27T16:59:59', true],
    ['Europe/Berlin', '2026-03-27T17:00', false],
    ['Europe/Berlin', '2026-03-30T05:59', false],
    ['Europe/Berlin', '2026-03-30T06:00', true],
    ['Europe/Berlin', '2026-03-28T10:00', false],
    ['Europe/Berlin', '2026-10-26T06:30', false],
    ['Europe/Berlin', '2026-10-26T07:00', true],
    // New York: UTC-5 until 2026-03-08 07:00 UTC, then UTC-4 until 2026-11-01 06:00 UTC.
    ['America/New_York', '2026-03-06T12:59', false],
    ['America/New_York', '2026-03-06T13:00', true],
    ['America/New_York', '2026-03-09T12:00', true],
    ['America/New_York', '2026-11-02T12:30', false],
    // Kolkata: UTC+5:30, always.
    ['Asia/Kolkata', '2026-03-30T02:29', false],
    ['Asia/Kolkata', '2026-03-30T02:30', true],
    ['Asia/Kolkata', '2026-10-26T02:30', true],
    ['Asia/Kolkata', '2026-10-26T12:30', false],
  ])('the office in %s at %s UTC: %s', (timezone, utc, open) => {
    expect(isInHours(office(timezone), at(utc))).toBe(open);
  });

  test('a span over midnight belongs to the day it starts on', () => {
    const night = hoursOf(['fri'], '22:00', '06:00', 'UTC');
    expect(isInHours(night, at('2026-03-27T21:59'))).toBe(false);
    expect(isInHours(night, at('2026-03-27T22:00'))).toBe(true);
    expect(isInHours(night, at('2026-03-28T05:59'))).toBe(true);
    expect(isInHours(night, at('2026-03-28T06:00'))).toBe(false);
    expect(isInHours(night, at('2026-03-28T22:00'))).toBe(false);
    expect(isInHours(night, at('2026-03-27T05:00'))).toBe(false);
  });

  test('from equal to to is the whole day', () => {
    const sunday = hoursOf(['sun'], '09:00', '09:00', 'Asia/Kolkata');
    expect(isInHours(sunday, at('2026-03-28T18:29'))).toBe(false);
    expect(isInHours(sunday, at('2026-03-28T18:30'))).toBe(true);
    expect(isInHours(sunday, at('2026-03-29T18:29'))).toBe(true);
    expect(isInHours(sunday, at('2026-03-29T18:30'))).toBe(false);
  });

  test('counts days right before 1970', () => {
    expect(isInHours(hoursOf(['wed'], '00:00', '00:00', 'UTC'), at('1969-12-31T12:00'))).toBe(true);
    expect(isInHours(hoursOf(['wed'], '00:00', '00:00', 'UTC'), at('1969-12-30T12:00'))).toBe(false);
  });
});

describe('nextOpeningMs()', () => {
  test('of whole days is midnight', () => {
    const sunday = hoursOf(['sun'], '09:00', '09:00');
    expect(nextOpeningMs(sunday, at('2026-01-03T11:30') + 1)).toBe(at('2026-01-03T23:00'));
    expect(nextOpeningMs(sunday, at('2026-01-04T23:00'))).toBe(at('2026-01-10T23:00'));
  });

  test('is the moment itself while open, to the millisecond', () => {
    expect(nextOpeningMs(office('UTC'), at('2026-03-27T12:00') + 1)).toBe(at('2026-03-27T12:00') + 1);
  });

  test.each([
    [
      'over the weekend the clock is put forward',
      office('Europe/Berlin'),
      '2026-03-27T17:00',
      '2026-03-30T06:00',
    ],
    [
      'over the weekend the clock is put back',
      office('Europe/Berlin'),
      '2026-10-23T16:00',
      '2026-10-26T07:00',
    ],
    ['New York, put forward', office('America/New_York'), '2026-03-06T23:00', '2026-03-09T12:00'],
    ['New York, put back', office('America/New_York'), '2026-10-30T22:00', '2026-11-02T13:00'],
    ['Kolkata, never', office('Asia/Kolkata'), '2026-03-27T12:30', '2026-03-30T02:30'],
    ['seconds before the opening', office('UTC'), '2026-03-27T07:59:01', '2026-03-27T08:00'],
    ['a week later', hoursOf(['fri'], '08:00', '09:00', 'UTC'), '2026-03-27T09:00', '2026-04-03T08:00'],
    [
      'an opening in the hour left out',
      hoursOf(WEEK, '02:30', '04:00'),
      '2026-03-29T00:00',
      '2026-03-29T01:00',
    ],
    ['hours all within it', hoursOf(WEEK, '02:00', '02:30'), '2026-03-29T00:45', '2026-03-30T00:00'],
    ['hours that come twice', hoursOf(WEEK, '02:00', '02:30'), '2026-10-25T00:40', '2026-10-25T01:00'],
    [
      'a date left out',
      hoursOf(['fri'], '08:00', '09:00', 'Pacific/Apia'),
      '2011-12-29T12:00',
      '2012-01-05T18:00',
    ],
  ])('%s', (_, hours, from, expected) => {
    expect(new Date(nextOpeningMs(hours, at(from))).toISOString()).toBe(`${expected}:00.000Z`);
  });

  const clockArb = fc
    .tuple(fc.integer({ min: 0, max: 23 }), fc.constantFrom(0, 1, 15, 30, 59))
    .map((parts) => parts.map((part) => String(part).padStart(2, '0')).join(':'));
  /** Near where the clocks of these zones change; Lord Howe changes by half an hour. */
  const CHANGES = {
    'Europe/Berlin': ['2026-03-29T01:00', '2026-10-25T01:00'],
    'America/New_York': ['2026-03-08T07:00', '2026-11-01T06:00'],
    'Asia/Kolkata': ['2026-03-29T01:00'],
    'Australia/Lord_Howe': ['2026-04-04T15:00', '2026-10-03T15:30'],
    'Pacific/Apia': ['2011-12-30T10:00'],
  };
  const momentArb = fc
    .constantFrom(...Object.entries(CHANGES).flatMap(([zone, changes]) => changes.map((utc) => [zone, utc])))
    .chain(([timezone = '', utc = '']) =>
      fc
        .integer({ min: -2 * 1_440, max: 1_440 })
        .map((minutes) => ({ timezone, atMs: at(utc) + minutes * MINUTE })),
    );

  test('is the first open minute that a search minute by minute finds', () => {
    const days = fc.uniqueArray(fc.constantFrom(...WEEK), { minLength: 1 });
    fc.assert(
      fc.property(days, clockArb, clockArb, momentArb, (on, from, to, { timezone, atMs }) => {
        const hours = hoursOf(on, from, to, timezone);
        let expected = atMs;
        while (!isInHours(hours, expected)) expected += MINUTE;
        expect(nextOpeningMs(hours, atMs)).toBe(expected);
      }),
      { numRuns: 150 },
    );
  });
});

describe('hoursProblem()', () => {
  test.each([
    [{ days: [] }, 'No days'],
    [{ days: ['monday' as Weekday] }, '"monday" is no day'],
    [{ from: '8:00' }, '"8:00" is no time of day: write hours and minutes as 08:30'],
    [{ to: '24:00' }, '"24:00" is no time of day'],
    [{ timezone: 'Berlin' }, 'Timezone "Berlin" is not known: did you mean "Europe/Berlin"?'],
    [{ timezone: 'Mars/Olympus Mons' }, 'write an IANA name'],
    [{ timezone: '+01:00' }, 'Timezone "+01:00" is not known'],
    [{ timezone: '' }, 'is not known'],
  ])('%j: %s', (wrong, message) => {
    expect(hoursProblem({ ...office('UTC'), ...wrong })).toContain(message);
  });

  test('nothing is wrong with hours that can be used', () => {
    expect(hoursProblem(office('Asia/Kolkata'))).toBeUndefined();
    expect(hoursProblem(hoursOf(['sat'], '22:00', '06:00', 'UTC'))).toBeUndefined();
  });

  test('what it refuses never opens: it is an error, not an answer', () => {
    expect(() => nextOpeningMs({ ...office('UTC'), days: [] }, 0)).toThrow(RangeError);
    expect(() => isInHours({ ...office('UTC'), from: '8' }, 0)).toThrow(RangeError);
    expect(() => isInHours(office('Berlin'), 0)).toThrow(RangeError);
  });
});
