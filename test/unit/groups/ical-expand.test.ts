import { describe, expect, test } from 'vitest';
import { expandCalendar } from '../../../src/groups/ical-expand.ts';
import type { Who } from '../../../src/groups/source.ts';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import { calendar, entry, VTIMEZONE } from './calendars.ts';

const WINDOW = { from: new Date('2026-08-03T00:00:00Z'), to: new Date('2026-08-24T00:00:00Z') };

const whoText = (who: Who): string => Object.values(who).join();
/** `who from until`, in UTC. */
function shiftsOf(text: string, window = WINDOW): string[] {
  const minute = (at?: Date) => at?.toISOString().replace(/:00\.000Z$/, 'Z');
  return expandCalendar(text, window)
    .map(({ who, from, until }) => `${minute(from)} ${minute(until)} ${whoText(who)}`)
    .sort();
}
const berlin = (name: string, time: string) => `${name};TZID=Europe/Berlin:${time}`;
const WEEKLY = [
  'UID:rota',
  'SUMMARY:ana',
  berlin('DTSTART', '20260601T090000'),
  berlin('DTEND', '20260601T170000'),
  'RRULE:FREQ=WEEKLY;BYDAY=MO',
];
const MONDAYS = [
  '2026-08-03T07:00Z 2026-08-03T15:00Z ana',
  '2026-08-10T07:00Z 2026-08-10T15:00Z ana',
  '2026-08-17T07:00Z 2026-08-17T15:00Z ana',
];
const without = (monday: string) => MONDAYS.filter((shift) => !shift.startsWith(monday));

describe('when', () => {
  test('a weekly shift by an IANA zone that the calendar does not define', () => {
    expect(shiftsOf(calendar(entry(...WEEKLY)))).toEqual(MONDAYS);
  });

  test('a zone that the calendar defines itself counts as it says, in summer and in winter', () => {
    const rota = entry(
      'SUMMARY:ana',
      'DTSTART;TZID=Desk Standard Time:20260601T090000',
      'DTEND;TZID=Desk Standard Time:20260601T170000',
      'RRULE:FREQ=WEEKLY;BYDAY=MO',
    );
    expect(shiftsOf(calendar(VTIMEZONE, rota))).toEqual(MONDAYS);
    const winter = { from: new Date('2026-10-19T00:00:00Z'), to: new Date('2026-10-27T00:00:00Z') };
    expect(shiftsOf(calendar(VTIMEZONE, rota), winter)).toEqual([
      '2026-10-19T07:00Z 2026-10-19T15:00Z ana',
      '2026-10-26T08:00Z 2026-10-26T16:00Z ana',
    ]);
  });

  test('whole days begin at midnight of the calendar, also over a change of the clock', () => {
    const days = entry('SUMMARY:ana', 'DTSTART;VALUE=DATE:20261019', 'DTEND;VALUE=DATE:20261026');
    const october = { from: new Date('2026-10-20T00:00:00Z'), to: new Date('2026-10-21T00:00:00Z') };
    const week = ['2026-10-18T22:00Z 2026-10-25T23:00Z ana'];
    expect(shiftsOf(calendar('X-WR-TIMEZONE:Europe/Berlin', days), october)).toEqual(week);
    expect(shiftsOf(calendar(VTIMEZONE, days), october)).toEqual(week);
    expect(shiftsOf(calendar('X-WR-TIMEZONE:UTC', days), october)).toEqual([
      '2026-10-19T00:00Z 2026-10-26T00:00Z ana',
    ]);
    const single = entry('SUMMARY:ana', 'DTSTART;VALUE=DATE:20261020');
    expect(shiftsOf(calendar('X-WR-TIMEZONE:UTC', single), october)).toEqual([
      '2026-10-20T00:00Z 2026-10-21T00:00Z ana',
    ]);
  });

  test('a daily shift over the change of the clock keeps its hours on the wall', () => {
    const nights = entry(
      'SUMMARY:ana',
      berlin('DTSTART', '20261020T200000'),
      berlin('DTEND', '20261021T080000'),
      'RRULE:FREQ=DAILY;COUNT=10',
    );
    const change = { from: new Date('2026-10-24T12:00:00Z'), to: new Date('2026-10-26T12:00:00Z') };
    expect(shiftsOf(calendar(nights), change)).toEqual([
      '2026-10-24T18:00Z 2026-10-25T07:00Z ana',
      '2026-10-25T19:00Z 2026-10-26T07:00Z ana',
    ]);
  });

  test('a shift that began before the window and lasts into it counts; one that ended before does not', () => {
    const month = entry('SUMMARY:ana', 'DTSTART:20260701T000000Z', 'DURATION:P40D');
    const past = entry('SUMMARY:ben', 'DTSTART:20260701T000000Z', 'DTEND:20260803T000000Z');
    const later = entry('SUMMARY:cleo', 'DTSTART:20260824T000001Z', 'DTEND:20260830T000000Z');
    const moment = entry('SUMMARY:dora', 'DTSTART:20260810T000000Z');
    expect(shiftsOf(calendar(month, past, later, moment))).toEqual([
      '2026-07-01T00:00Z 2026-08-10T00:00Z ana',
    ]);
  });
});

describe('swaps and exceptions', () => {
  const change = (recurrenceId: string, ...lines: string[]) => entry('UID:rota', recurrenceId, ...lines);

  test.each([
    ['in its zone', berlin('RECURRENCE-ID', '20260810T090000')],
    ['in UTC', 'RECURRENCE-ID:20260810T070000Z'],
    ['in another zone', 'RECURRENCE-ID;TZID=America/New_York:20260810T030000'],
    ['as a day', 'RECURRENCE-ID;VALUE=DATE:20260810'],
  ])('a swapped shift is the other person’s alone, named %s', (_, recurrenceId) => {
    const swap = change(
      recurrenceId,
      'SUMMARY:ben',
      berlin('DTSTART', '20260810T090000'),
      berlin('DTEND', '20260810T170000'),
    );
    const swapped = [...without('2026-08-10'), '2026-08-10T07:00Z 2026-08-10T15:00Z ben'].sort();
    expect(shiftsOf(calendar(entry(...WEEKLY), swap))).toEqual(swapped);
    expect(shiftsOf(calendar(swap, entry(...WEEKLY)))).toEqual(swapped);
  });

  test('a shift moved into the window from far outside it counts', () => {
    const moved = change(
      berlin('RECURRENCE-ID', '20261207T090000'),
      'SUMMARY:ben',
      'DTSTART:20260805T090000Z',
      'DTEND:20260805T170000Z',
    );
    expect(shiftsOf(calendar(entry(...WEEKLY), moved))).toContain('2026-08-05T09:00Z 2026-08-05T17:00Z ben');
  });

  test('from one occurrence on, everything after it is changed', () => {
    const since = change(
      'RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260810T090000',
      'SUMMARY:ben',
      berlin('DTSTART', '20260810T100000'),
      berlin('DTEND', '20260810T170000'),
    );
    expect(shiftsOf(calendar(entry(...WEEKLY), since))).toEqual([
      '2026-08-03T07:00Z 2026-08-03T15:00Z ana',
      '2026-08-10T08:00Z 2026-08-10T15:00Z ben',
      '2026-08-17T08:00Z 2026-08-17T15:00Z ben',
    ]);
  });

  test('what is struck out or cancelled puts nobody on call, in whatever order and form it is written', () => {
    const cancelled = change(
      berlin('RECURRENCE-ID', '20260810T090000'),
      'SUMMARY:ana',
      'STATUS:cancelled',
      'DTSTART:20260810T070000Z',
      'DTEND:20260810T150000Z',
    );
    expect(shiftsOf(calendar(entry(...WEEKLY), cancelled))).toEqual(without('2026-08-10'));
    for (const struck of [
      [berlin('EXDATE', '20260810T090000')],
      ['EXDATE:20260810T070000Z'],
      ['EXDATE;VALUE=DATE:20260810'],
      // The library looks at one of them for each occurrence and misses the last.
      [
        berlin(
          'EXDATE',
          '20260728T090000,20260729T090000,20260804T110000,20260805T090000,20260806T090000,20260810T090000',
        ),
      ],
      [berlin('EXDATE', '20260810T090000'), berlin('EXDATE', '20260810T090000'), 'EXDATE:20260804T000000Z'],
    ])
      expect(shiftsOf(calendar(entry(...WEEKLY, ...struck)))).toEqual(without('2026-08-10'));
    expect(shiftsOf(calendar(entry(...WEEKLY, 'STATUS:CANCELLED')))).toEqual([]);
  });

  test('a date that is added counts, and one that the rule names too counts once', () => {
    const shifts = shiftsOf(calendar(entry(...WEEKLY, berlin('RDATE', '20260805T090000'))));
    expect(shifts).toEqual([...MONDAYS, '2026-08-05T07:00Z 2026-08-05T15:00Z ana'].sort());
  });
});

describe('who', () => {
  const AUGUST = ['DTSTART:20260810T000000Z', 'DTEND:20260811T000000Z'];
  const who = (...lines: string[]) =>
    expandCalendar(calendar(entry(...AUGUST, ...lines)), WINDOW).map((shift) => shift.who);

  test('the people who were invited and did not decline; never the organizer', () => {
    expect(
      who(
        'SUMMARY:ben',
        'ORGANIZER:mailto:olga@example.org',
        'ATTENDEE;CN="Ana Lima";PARTSTAT=ACCEPTED:mailto:ana@example.org',
        'ATTENDEE;PARTSTAT=declined:mailto:cleo@example.org',
        'ATTENDEE;CUTYPE=RESOURCE:mailto:room@example.org',
        'ATTENDEE;EMAIL=dora@example.org:urn:uuid:1',
        'ATTENDEE;CN=Emil:invalid:nomail',
      ),
    ).toEqual([{ email: 'ana@example.org' }, { email: 'dora@example.org' }, { name: 'Emil' }]);
    expect(who('SUMMARY:ben', 'ATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.org')).toEqual([]);
  });

  test('else whom the title names', () => {
    expect(who('SUMMARY: Ana Lima ', 'ORGANIZER:mailto:olga@example.org')).toEqual([{ name: 'Ana Lima' }]);
    expect(who('SUMMARY:ana@example.org')).toEqual([{ email: 'ana@example.org' }]);
    expect(who('ATTENDEE;CUTYPE=ROOM:mailto:room@example.org', 'SUMMARY:ana')).toEqual([{ name: 'ana' }]);
    expect(who()).toEqual([{ name: '(an entry without a title)' }]);
  });
});

describe('what cannot be understood is a failure that says what to mend, never an empty schedule', () => {
  const of = (...lines: string[]) => calendar('X-WR-TIMEZONE:Europe/Berlin', entry('SUMMARY:rota', ...lines));
  const whole = of('DTSTART:20260810T000000Z', 'DTEND:20260811T000000Z');
  test.each<[string, string, RegExp]>([
    ['nothing', '', /does not follow iCalendar/],
    ['a page to sign in', '<!doctype html><html><body>Sign in: here</body></html>', /without signing in/],
    ['JSON', '{"a":1}', /does not follow iCalendar/],
    ['a business card', 'BEGIN:VCARD\r\nEND:VCARD\r\n', /does not follow iCalendar/],
    ['several calendars in one', whole + whole, /does not follow iCalendar/],
    ['half of it', whole.slice(0, whole.length - 20), /not all of a file/],
    ['no start', of('DTEND:20260811T000000Z'), /"rota" has no start/],
    ['a start that is no date', of('DTSTART:tomorrow'), /"rota" has a DTSTART that is no date/],
    ['a month 13', of('DTSTART:20261310T000000Z'), /DTSTART that is no date/],
    ['an hour 25', of('DTSTART:20260810T250000Z'), /DTSTART that is no date/],
    [
      'an end before the start',
      of('DTSTART:20260810T000000Z', 'DTEND:20260809T000000Z'),
      /ends before it starts/,
    ],
    [
      'a rule that is none',
      of('DTSTART:20260810T000000Z', 'RRULE:FREQ=SOMETIMES'),
      /entry "rota" cannot be read: mend its dates or its rule \(RRULE\)/,
    ],
    [
      'dates as periods',
      of('DTSTART:20260810T000000Z', 'RDATE;VALUE=PERIOD:20260811T000000Z/PT1H'),
      /RDATE that is no date/,
    ],
    ['a zone that nobody knows', of('DTSTART;TZID=Middle Earth:20260810T000000'), /time zone "Middle Earth"/],
    [
      'a zone without a name',
      calendar('BEGIN:VTIMEZONE\r\nEND:VTIMEZONE', entry('DTSTART;TZID=A:20260810T000000')),
      /cannot be read/,
    ],
    ['days without a zone', calendar(entry('DTSTART;VALUE=DATE:20260810')), /add X-WR-TIMEZONE/],
    ['times without a zone', calendar(entry('DTSTART:20260810T000000')), /add X-WR-TIMEZONE/],
    [
      'every second',
      of('DTSTART:20260101T000000Z', 'DTEND:20260101T000001Z', 'RRULE:FREQ=SECONDLY'),
      /recurs too often/,
    ],
    [
      'a shift a minute',
      of('DTSTART:20260803T000000Z', 'DTEND:20260803T000100Z', 'RRULE:FREQ=MINUTELY'),
      /more than 5000 shifts/,
    ],
  ])('%s', (_, text, message) => {
    expect(() => expandCalendar(text, WINDOW)).toThrow(SourceFailure);
    expect(() => expandCalendar(text, WINDOW)).toThrow(message);
  });

  test('a calendar that is whole and has no entry puts nobody on call', () => {
    expect(expandCalendar(calendar(), WINDOW)).toEqual([]);
  });
});
