import ICAL from 'ical.js';
import { SourceFailure } from '../net/source-failure.ts';
import { type EntryText, mayTouch, nameOfEntry, splitCalendar } from './ical-entries.ts';
import { CalendarZones } from './ical-zone.ts';
import { SHIFTS_MAX, type Shift, type Who, type Window } from './source.ts';

/** Occurrences looked at in one calendar: a rota of a hundred years has fewer. */
const OCCURRENCES_MAX = 100_000;
/** A day on the wall may have an hour more. */
const DAY_S = 86_400;
/** Invitations of these are no person's. */
const NO_PERSON = ['GROUP', 'RESOURCE', 'ROOM'];
const DATE_PROPERTIES = ['dtstart', 'dtend', 'recurrence-id', 'exdate', 'rdate'];
const DATE = String.raw`\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])`;
const WRITTEN_WELL = new RegExp(String.raw`^${DATE}(T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)Z?)?$`);

/**
 * Who an iCalendar file (RFC 5545) puts on call within the window: every entry is a shift of its attendees, or, if nobody
 * was invited, of whoever its title names. The organizer does not count: that is whoever wrote the entry. What cannot
 * touch the window is not looked at. May never return for a hostile rule; see `ical.ts`.
 * @throws SourceFailure for anything else that cannot be understood, naming the entry
 */
export function expandCalendar(text: string, window: Window, people: People = peopleOf): Shift[] {
  const { frame, entries } = splitCalendar(text) ?? { frame: '', entries: [] };
  const calendar = calendarOf(frame);
  const zones = new CalendarZones(calendar);
  for (const entry of entries) if (mayTouch(entry, window)) calendar.addSubcomponent(componentOf(entry));
  const components = calendar.getAllSubcomponents('vevent');
  const expansion: Expansion = { zones, window, people, shifts: [], looked: 0 };
  for (const component of components) understood(component, () => settleZones(component, zones));
  for (const series of seriesOf(components)) understood(series[0], () => expandSeries(series, expansion));
  return expansion.shifts;
}

/** Whose shift an entry is. */
type People = (component: ICAL.Component) => Who[];

/** The times of a calendar: each entry is one, whoever was invited to it and declined. @throws SourceFailure */
export const expandTimes = (text: string, window: Window): Shift[] =>
  expandCalendar(text, window, () => [titleOf('')]);

/** Names the entry where the library gives up. */
function understood(component: ICAL.Component | undefined, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof SourceFailure) throw error;
    const what = `The calendar's entry ${nameOf(component)} cannot be read`;
    throw new SourceFailure(`${what}: mend its dates, its zone or its rule`, undefined, { cause: error });
  }
}

function componentOf(entry: EntryText): ICAL.Component {
  try {
    return new ICAL.Component(ICAL.parse(entry.text));
  } catch (error) {
    const what = `The calendar's entry ${nameOfEntry(entry)} cannot be read`;
    throw new SourceFailure(`${what}: mend its dates or its rule (RRULE)`, undefined, { cause: error });
  }
}

interface Expansion {
  zones: CalendarZones;
  window: Window;
  people: People;
  shifts: Shift[];
  looked: number;
}

function calendarOf(text: string): ICAL.Component {
  let parsed: unknown;
  try {
    parsed = ICAL.parse(text);
  } catch {
    parsed = undefined;
  }
  if (Array.isArray(parsed) && parsed[0] === 'vcalendar') return new ICAL.Component(parsed);
  throw new SourceFailure(
    'The calendar does not follow iCalendar (RFC 5545), or is not all of a file: check that its address gives an .ics file without signing in',
  );
}

/** An entry and the changes to single occurrences of it, which have its UID. */
function seriesOf(components: readonly ICAL.Component[]): ICAL.Component[][] {
  const series = new Map<unknown, ICAL.Component[]>();
  for (const component of components) {
    const uid = component.getFirstPropertyValue('uid') ?? component;
    series.set(uid, [...(series.get(uid) ?? []), component]);
  }
  return [...series.values()];
}

/** Checks how every date is written, and gives those without a zone the calendar's; the library would guess. */
function settleZones(component: ICAL.Component, zones: CalendarZones): void {
  if (!component.hasProperty('dtstart'))
    throw new SourceFailure(`The calendar's entry ${nameOf(component)} has no start (DTSTART)`);
  for (const property of DATE_PROPERTIES.flatMap((name) => component.getAllProperties(name))) {
    const [, , , ...values] = property.jCal as unknown[];
    if (!values.every((value) => typeof value === 'string' && WRITTEN_WELL.test(value)))
      throw new SourceFailure(
        `The calendar's entry ${nameOf(component)} has a ${property.name.toUpperCase()} that is no date`,
      );
    const onTheWall = values.some((value) => /T.*[^Z]$/.test(String(value)));
    const tzid = property.getParameter('tzid');
    if (!onTheWall) continue;
    if (typeof tzid === 'string') zones.get(tzid);
    else property.setParameter('tzid', zones.ofDays().tzid);
  }
}

function expandSeries(components: readonly ICAL.Component[], expansion: Expansion): void {
  const changed = components.filter((component) => component.hasProperty('recurrence-id'));
  for (const component of changed) addShift(new ICAL.Event(component), expansion);
  for (const component of components.filter((one) => !changed.includes(one))) {
    const event = new ICAL.Event(component, { exceptions: changed.filter(changesAllAfter) });
    const isLeftOut = leftOutOf(component, changed, expansion.zones);
    component.removeAllProperties('exdate');
    for (const start of occurrences(event, expansion)) {
      if (isLeftOut(start)) continue;
      const { startDate, endDate, item } = event.getOccurrenceDetails(start);
      addShift(item, expansion, startDate, endDate);
    }
  }
}

const changesAllAfter = (component: ICAL.Component): boolean =>
  component.getFirstProperty('recurrence-id')?.getParameter('range') === ICAL.Event.THISANDFUTURE;

/** From the first that may last into the window to its end. */
function* occurrences(event: ICAL.Event, expansion: Expansion): Generator<ICAL.Time> {
  const { zones, window } = expansion;
  const lastsMs = (event.duration.toSeconds() + DAY_S) * 1_000;
  const earliestMs = event.rangeExceptions.length > 0 ? 0 : window.from.getTime() - lastsMs;
  const iterator = event.iterator();
  for (let next = iterator.next(); next; next = iterator.next()) {
    if (++expansion.looked > OCCURRENCES_MAX)
      throw new SourceFailure(
        `The calendar's entry ${nameOf(event.component)} recurs too often for a schedule`,
      );
    const atMs = momentOf(next, zones);
    if (atMs > window.to.getTime()) return;
    if (atMs >= earliestMs) yield next;
  }
}

/**
 * Which occurrences are struck out or changed. The library compares in the order of the list and may miss one behind a
 * date that strikes nothing out: a swapped shift would keep both people.
 */
function leftOutOf(
  component: ICAL.Component,
  changed: readonly ICAL.Component[],
  zones: CalendarZones,
): (start: ICAL.Time) => boolean {
  const times = [
    ...component.getAllProperties('exdate').flatMap((property) => property.getValues()),
    ...changed.map((one) => one.getFirstPropertyValue('recurrence-id')),
  ].filter((value) => value instanceof ICAL.Time);
  const moments = new Set(times.filter(({ isDate }) => !isDate).map((time) => momentOf(time, zones)));
  const days = new Set(times.filter(({ isDate }) => isDate).map(dayOf));
  return (start) => days.has(dayOf(start)) || (!start.isDate && moments.has(momentOf(start, zones)));
}

const dayOf = ({ year, month, day }: ICAL.Time): string => `${year}-${month}-${day}`;

function addShift(
  event: ICAL.Event,
  { zones, window, people, shifts }: Expansion,
  start = event.startDate,
  end = event.endDate,
): void {
  const { component } = event;
  const from = new Date(momentOf(start, zones));
  const until = new Date(momentOf(end, zones));
  if (until < from)
    throw new SourceFailure(`The calendar's entry ${nameOf(component)} ends before it starts`);
  const touches = from < until && from <= window.to && until > window.from;
  if (!touches || wordOf(component.getFirstPropertyValue('status')) === 'CANCELLED') return;
  shifts.push(...people(component).map((who) => ({ who, from, until })));
  if (shifts.length > SHIFTS_MAX) throw new SourceFailure(`The calendar has more than ${SHIFTS_MAX} shifts`);
}

/** Milliseconds of a time; a whole day begins at midnight of the calendar's zone. */
function momentOf(time: ICAL.Time, zones: CalendarZones): number {
  if (!time.isDate) return time.toUnixTime() * 1_000;
  const { year, month, day } = time;
  const midnight = new ICAL.Time({ year, month, day, hour: 0, minute: 0, second: 0 }, zones.ofDays());
  return midnight.toUnixTime() * 1_000;
}

function peopleOf(component: ICAL.Component): Who[] {
  const attendees = component.getAllProperties('attendee');
  const invited = attendees.filter((one) => !NO_PERSON.includes(wordOf(one.getParameter('cutype'))));
  if (invited.length > 0)
    return invited.filter((one) => wordOf(one.getParameter('partstat')) !== 'DECLINED').map(attendeeOf);
  const summary = component.getFirstPropertyValue('summary');
  return [titleOf(typeof summary === 'string' ? summary.trim() : '')];
}

const wordOf = (value: unknown): string => String(value ?? '').toUpperCase();

function attendeeOf(attendee: ICAL.Property): Who {
  const address = String(attendee.getFirstValue());
  const email = attendee.getParameter('email') ?? /^mailto:(.+)$/i.exec(address)?.[1];
  return typeof email === 'string' ? { email } : { name: String(attendee.getParameter('cn') ?? address) };
}

const titleOf = (title: string): Who =>
  /^[^\s@]+@[^\s@]+$/.test(title) ? { email: title } : { name: title || '(an entry without a title)' };

const nameOf = (component: ICAL.Component | undefined): string =>
  `"${String(component?.getFirstPropertyValue('summary') ?? component?.getFirstPropertyValue('uid') ?? '').slice(0, 80)}"`;
