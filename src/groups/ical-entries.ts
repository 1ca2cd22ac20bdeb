import ICAL from 'ical.js';
import type { Window } from './source.ts';

/** A calendar by its text alone: one broken entry must not hide the others. */
export interface CalendarText {
  /** Without its entries, and without whatever else is no time zone. */
  frame: string;
  entries: readonly EntryText[];
}

/** The lines of one VEVENT, unfolded. */
export interface EntryText {
  text: string;
  lines: readonly string[];
}

/** Times on the wall may be those of any zone. */
const MARGIN_MS = 2 * 86_400_000;
const BYTE_ORDER_MARK = /^\uFEFF/;
const DATED = ['DTSTART', 'DTEND', 'RDATE', 'RECURRENCE-ID'];

/** `undefined`: it is not all of a file. */
export function splitCalendar(text: string): CalendarText | undefined {
  const lines = text
    .replace(BYTE_ORDER_MARK, '')
    .replace(/\r?\n[ \t]/g, '')
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const frame: string[] = [];
  const entries: EntryText[] = [];
  let part: { name: string; lines: string[] } | undefined;
  for (const line of lines) {
    const [, edge, name = ''] = /^(BEGIN|END):([\w-]+)\s*$/i.exec(line) ?? [];
    const word = name.toUpperCase();
    if (!part && (!edge || word === 'VCALENDAR')) frame.push(line);
    else if (!part) part = { name: word, lines: [line] };
    else part.lines.push(line);
    if (part && edge?.toUpperCase() === 'END' && word === part.name) {
      if (word === 'VTIMEZONE') frame.push(...part.lines);
      if (word === 'VEVENT') entries.push({ text: part.lines.join('\r\n'), lines: part.lines });
      part = undefined;
    }
  }
  // What is not a time zone goes before the end of the calendar, wherever it stood.
  return part ? undefined : { frame: `${frame.join('\r\n')}\r\n`, entries };
}

/**
 * Whether anything of an entry may lie in the window, by its dates alone: what cannot is not looked at, broken or not.
 * Whatever cannot be told may.
 */
export function mayTouch(entry: EntryText, { from, to }: Window): boolean {
  const own = propertiesOf(entry);
  const of = (...names: string[]) => own.filter(({ name }) => names.includes(name));
  const rules = of('RRULE', 'EXRULE').map(({ value }) => untilOf(value));
  const dates = of(...DATED).flatMap(({ value }) => value.split(',').map(dayOf));
  const lasts = [...of('DURATION').map(({ value }) => durationOf(value)), spanOf(of('DTSTART'), of('DTEND'))];
  const moments = [...dates, ...rules];
  const isUnclear =
    of('DTSTART').length !== 1 ||
    [...moments, ...lasts].includes(undefined) ||
    of('RECURRENCE-ID').some(({ params }) => /RANGE=/i.test(params));
  if (isUnclear) return true;
  const known = moments.filter((moment) => moment !== undefined);
  const lastsMs = Math.max(...lasts.map((each) => each ?? 0));
  return (
    Math.max(...known) + lastsMs + MARGIN_MS >= from.getTime() &&
    Math.min(...known) - MARGIN_MS <= to.getTime()
  );
}

/** What people know an entry by. */
export function nameOfEntry(entry: EntryText): string {
  const own = propertiesOf(entry);
  const named = own.find(({ name }) => name === 'SUMMARY') ?? own.find(({ name }) => name === 'UID');
  return `"${(named?.value ?? '').trim().slice(0, 80)}"`;
}

interface PropertyText {
  name: string;
  params: string;
  value: string;
}

/** Of the entry itself, not of its alarms. */
function propertiesOf({ lines }: EntryText): PropertyText[] {
  let depth = 0;
  return lines.flatMap((line) => {
    if (/^BEGIN:/i.test(line)) depth++;
    if (/^END:/i.test(line)) depth--;
    const [, name, params = '', value = ''] =
      /^([\w-]+)((?:;[^":]*(?:"[^"]*"[^":]*)*)?):(.*)$/.exec(line) ?? [];
    return name && depth === 1 ? [{ name: name.toUpperCase(), params, value }] : [];
  });
}

/** Midnight UTC of the day that a date begins with. */
function dayOf(text: string): number | undefined {
  const [, year = '', month = '', day = ''] = /^\s*(\d{4})(\d\d)(\d\d)(?!\d)/.exec(text) ?? [];
  const at = new Date(`${year}-${month}-${day}T00:00:00Z`);
  return at.getTime() > 0 && at.getUTCDate() === Number(day) ? at.getTime() : undefined;
}

/** Without an end it goes on for ever, and how often a rule that is counted comes true is the library's to say. */
const untilOf = (rule: string): number | undefined => dayOf(/(?:^|;)UNTIL=([^;]*)/i.exec(rule)?.[1] ?? '');

function spanOf(starts: readonly PropertyText[], ends: readonly PropertyText[]): number | undefined {
  if (ends.length === 0) return 0;
  const [start, end] = [dayOf(starts[0]?.value ?? ''), dayOf(ends[0]?.value ?? '')];
  return start === undefined || end === undefined ? undefined : Math.max(0, end - start);
}

function durationOf(text: string): number | undefined {
  try {
    return Math.max(0, ICAL.Duration.fromString(text.trim()).toSeconds() * 1_000);
  } catch {
    return undefined;
  }
}
