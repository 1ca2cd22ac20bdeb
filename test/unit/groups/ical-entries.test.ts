import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { icalSource } from '../../../src/groups/ical.ts';
import { expandCalendar } from '../../../src/groups/ical-expand.ts';
import { SourceFailure } from '../../../src/net/source-failure.ts';
import { calendar, entry } from './calendars.ts';

const WINDOW = { from: new Date('2026-08-03T00:00:00Z'), to: new Date('2026-08-24T00:00:00Z') };
const LIVE = entry('SUMMARY:ana', 'DTSTART:20260804T000000Z', 'DTEND:20260805T000000Z');
const ANA = [
  { who: { name: 'ana' }, from: new Date('2026-08-04T00:00:00Z'), until: new Date('2026-08-05T00:00:00Z') },
];
const zone = 'X-WR-TIMEZONE:Europe/Berlin';

describe('a byte-order mark changes nothing', () => {
  test.each(['\uFEFF', '\uFEFF\r\n'])('%j', (mark) => {
    expect(expandCalendar(mark + calendar(LIVE), WINDOW)).toEqual(ANA);
  });

  test('in a file', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'portcullis-bom-'));
    writeFileSync(
      join(folder, 'desk.ics'),
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from(calendar(LIVE))]),
    );
    expect(await icalSource('desk.ics', folder).shifts(WINDOW)).toEqual(ANA);
  });
});

/** Each is broken in a way of its own, and is over since 2010. */
const OLD = {
  'an hour 25': ['DTSTART:20100101T250000Z', 'DTEND:20100102T000000Z'],
  'an end before its start': ['DTSTART:20100105T000000Z', 'DTEND:20100101T000000Z'],
  'a zone that nobody knows': ['DTSTART;TZID=Middle Earth:20100101T000000'],
  'a rule that is none, until 2011': ['DTSTART:20100101T000000Z', 'RRULE:FREQ=SOMETIMES;UNTIL=20110101'],
  'a rule that never comes true, until 2011': [
    'DTSTART:20100101T000000Z',
    'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;UNTIL=20110101T000000Z',
  ],
  'a second too many, until 2011': [
    'DTSTART:20100101T000000Z',
    'DTEND:20100101T000001Z',
    'RRULE:FREQ=SECONDLY;UNTIL=20110101T000000Z',
  ],
  'dates as periods': ['DTSTART:20100101T000000Z', 'RDATE;VALUE=PERIOD:20100111T000000Z/PT1H'],
  'a change of one date that is none': ['DTSTART:20100101T990000Z', 'RECURRENCE-ID:20100101T000000Z'],
  'a line that is none': ['DTSTART:20100101T000000Z', 'DTEND:20100102T000000Z', 'what is this'],
};
/** The same, where they may reach into the present. */
const PRESENT = {
  'an hour 25': ['DTSTART:20260810T250000Z', 'DTEND:20260811T000000Z'],
  'no date to tell by': ['DTSTART:tomorrow'],
  'a rule that is none and has no end': ['DTSTART:20100101T000000Z', 'RRULE:FREQ=SOMETIMES'],
  'an end that is none': ['DTSTART:20100101T000000Z', 'DTEND:someday'],
  'a length that is none': ['DTSTART:20100101T250000Z', 'DURATION:ages'],
  'a length of twenty years': ['DTSTART:20100101T250000Z', 'DURATION:P1040W'],
  'one date of today': ['DTSTART:20100101T250000Z', 'RDATE:20260811T000000Z'],
  'a change of a date of today': ['DTSTART:20100101T250000Z', 'RECURRENCE-ID:20260811T000000Z'],
  'a change of all that follow': [
    'DTSTART:20100101T250000Z',
    'RECURRENCE-ID;RANGE=THISANDFUTURE:20100101T000000Z',
  ],
};

describe.each(Object.entries(OLD))('an entry of 2010 with %s', (_, lines) => {
  test('closes no group', () => {
    expect(expandCalendar(calendar(zone, entry('SUMMARY:old one', ...lines), LIVE), WINDOW)).toEqual(ANA);
    expect(expandCalendar(calendar(zone, LIVE, entry('SUMMARY:old one', ...lines)), WINDOW)).toEqual(ANA);
  });
});

test.each(Object.entries(PRESENT))(
  'an entry with %s that may touch the present closes the group by its name',
  (_, lines) => {
    const text = calendar(zone, LIVE, entry('SUMMARY:late shift', ...lines));
    expect(() => expandCalendar(text, WINDOW)).toThrow(SourceFailure);
    expect(() => expandCalendar(text, WINDOW)).toThrow(/entry "late shift"/);
  },
);

test('what is no entry at all closes nothing, and an entry within it is none', () => {
  const todo = ['BEGIN:VTODO', 'DUE:whenever', 'RRULE:FREQ=SOMETIMES', 'END:VTODO'].join('\r\n');
  expect(expandCalendar(calendar(todo, LIVE), WINDOW)).toEqual(ANA);
  const alarm = ['BEGIN:VALARM', 'TRIGGER:-PT5M', 'ACTION:DISPLAY', 'DURATION:ages', 'END:VALARM'];
  const alarmed = entry(
    'SUMMARY:ana',
    'DTSTART:20260804T000000Z',
    'DTEND:20260805T000000Z',
    ...alarm.filter((line) => !line.startsWith('DUR')),
  );
  expect(expandCalendar(calendar(alarmed), WINDOW)).toEqual(ANA);
  expect(() => expandCalendar(calendar(LIVE.replace('END:VEVENT', '')), WINDOW)).toThrow(/not all of a file/);
});

test('long lines that are folded, also within a date, are read as one', () => {
  const folded = calendar(LIVE).replace('DTSTART:20260804', 'DTSTART:2026\r\n 08\r\n\t04');
  expect(expandCalendar(folded, WINDOW)).toEqual(ANA);
});

test('leaving out what cannot touch the window takes no shift out of it', () => {
  const day = fc.integer({ min: 0, max: 900 }).map((days) => new Date(Date.UTC(2025, 0, 1 + days)));
  const stamp = (at: Date) => `${at.toISOString().slice(0, 10).replaceAll('-', '')}T090000Z`;
  const shift = fc
    .record({
      start: day,
      lastsDays: fc.integer({ min: 0, max: 60 }),
      rule: fc.constantFrom('', 'RRULE:FREQ=WEEKLY', 'RRULE:FREQ=MONTHLY;COUNT=9', 'until'),
      until: day,
      added: fc.option(day, { nil: undefined }),
      by: fc.constantFrom('DTEND', 'DURATION'),
    })
    .map(({ start, lastsDays, rule, until, added, by }) => {
      const end = new Date(start.getTime() + lastsDays * 86_400_000 + 3_600_000);
      return entry(
        'SUMMARY:ana',
        `DTSTART:${stamp(start)}`,
        by === 'DTEND'
          ? `DTEND:${stamp(new Date(end.getTime() + 86_400_000))}`
          : `DURATION:P${lastsDays}DT1H`,
        ...(rule === 'until' ? [`RRULE:FREQ=DAILY;INTERVAL=9;UNTIL=${stamp(until)}`] : rule ? [rule] : []),
        ...(added ? [`RDATE:${stamp(added)}`] : []),
      );
    });
  const all = { from: new Date('2024-01-01T00:00:00Z'), to: new Date('2028-01-01T00:00:00Z') };
  fc.assert(
    fc.property(fc.array(shift, { maxLength: 6 }), (entries) => {
      const text = calendar(...entries);
      const inside = expandCalendar(text, all).filter(
        ({ from, until }) => from && until && from <= WINDOW.to && until > WINDOW.from,
      );
      expect(expandCalendar(text, WINDOW)).toEqual(inside);
    }),
    { numRuns: 100 },
  );
});
