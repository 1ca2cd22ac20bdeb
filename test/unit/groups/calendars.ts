/** An iCalendar file of these lines, as servers send it. */
export const calendar = (...parts: string[]): string =>
  `${['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...parts, 'END:VCALENDAR'].join('\r\n')}\r\n`;

let entries = 0;

/** One entry; its UID is its own unless a line gives one. */
export const entry = (...lines: string[]): string => {
  const uid = lines.some((line) => line.startsWith('UID:')) ? [] : [`UID:${++entries}@test`];
  return ['BEGIN:VEVENT', ...uid, 'DTSTAMP:20260101T000000Z', ...lines, 'END:VEVENT'].join('\r\n');
};

/** Summer time from 29 March to 25 October 2026, under a name that is nobody else's. */
export const VTIMEZONE = [
  'BEGIN:VTIMEZONE',
  'TZID:Desk Standard Time',
  'BEGIN:STANDARD',
  'DTSTART:16011028T030000',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10',
  'TZOFFSETFROM:+0200',
  'TZOFFSETTO:+0100',
  'END:STANDARD',
  'BEGIN:DAYLIGHT',
  'DTSTART:16010325T020000',
  'RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3',
  'TZOFFSETFROM:+0100',
  'TZOFFSETTO:+0200',
  'END:DAYLIGHT',
  'END:VTIMEZONE',
].join('\r\n');
