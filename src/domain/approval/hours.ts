import { nearest } from '../nearest.ts';

export type Weekday = 'mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun';

/**
 * When an approver group can be reached, by the clock on its wall. `to` before `from` is on the next day, and the whole
 * span belongs to the day it starts on; `from` equal to `to` is all of that calendar day.
 */
export interface Hours {
  days: readonly Weekday[];
  /** HH:MM, as is `to`; open from this minute on. */
  from: string;
  /** The first minute that is closed. */
  to: string;
  /** IANA name, e.g. Europe/Berlin. */
  timezone: string;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
const DAY_MS = DAY_MINUTES * MINUTE_MS;
const CLOCK = /^([01]\d|2[0-3]):([0-5]\d)$/;
/** Day 0 of the epoch was a Thursday. */
const WEEK: readonly Weekday[] = ['thu', 'fri', 'sat', 'sun', 'mon', 'tue', 'wed'];

/** To make one costs a hundred times what using it does. */
const formatters = new Map<string, Intl.DateTimeFormat>();

/** What is wrong with the hours and how to mend it; `undefined` when they can be used. */
export function hoursProblem(hours: Hours): string | undefined {
  if (hours.days.length === 0) return 'No days: name at least one of mon, tue, wed, thu, fri, sat, sun';
  const strange = hours.days.find((day) => !WEEK.includes(day));
  if (strange !== undefined) return `"${strange}" is no day: write mon, tue, wed, thu, fri, sat or sun`;
  const badClock = [hours.from, hours.to].find((clock) => !CLOCK.test(clock));
  if (badClock !== undefined) return `"${badClock}" is no time of day: write hours and minutes as 08:30`;
  return isTimezone(hours.timezone) ? undefined : timezoneProblem(hours.timezone);
}

/**
 * Whether the group can be reached at `atMs` (epoch milliseconds).
 * @throws RangeError for hours that `hoursProblem` refuses
 */
export function isInHours(hours: Hours, atMs: number): boolean {
  const { day, minute } = wallClock(hours.timezone, atMs);
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)];
  if (from === to) return isOn(hours, day);
  if (from < to) return isOn(hours, day) && minute >= from && minute < to;
  return (isOn(hours, day) && minute >= from) || (isOn(hours, day - 1) && minute < to);
}

/**
 * The first moment from `atMs` on at which the group can be reached: `atMs` itself when it can, else a whole minute.
 * Days on which the clock is put forward or back are as long as they are: an opening in an hour that is left out comes
 * when that hour is over, if the group is still open then.
 * @throws RangeError for hours that `hoursProblem` refuses
 */
export function nextOpeningMs(hours: Hours, atMs: number): number {
  if (hours.days.length === 0) throw new RangeError('Hours without days never open: name at least one day');
  if (isInHours(hours, atMs)) return atMs;
  let openMs = Math.ceil(atMs / MINUTE_MS) * MINUTE_MS;
  while (!isInHours(hours, openMs)) {
    const expectedMs = openMs + minutesToOpening(hours, openMs) * MINUTE_MS;
    openMs = firstJump(hours.timezone, openMs, expectedMs) ?? expectedMs;
  }
  return openMs;
}

/** Minutes from a moment outside the hours to the next opening, as if the clock were never put forward or back. */
function minutesToOpening(hours: Hours, atMs: number): number {
  const { day, minute } = wallClock(hours.timezone, atMs);
  const [from, to] = [minuteOf(hours.from), minuteOf(hours.to)];
  const opens = from === to ? 0 : from;
  const waits = Array.from({ length: WEEK.length + 1 }, (_, ahead) => ahead)
    .filter((ahead) => isOn(hours, day + ahead))
    .map((ahead) => ahead * DAY_MINUTES + opens - minute)
    .filter((wait) => wait > 0);
  return Math.min(...waits);
}

/** The first minute after `fromMs`, up to `toMs`, at which the clock has been put forward or back. */
function firstJump(timezone: string, fromMs: number, toMs: number): number | undefined {
  const offset = offsetMs(timezone, fromMs);
  let before = fromMs;
  let after = Math.min(before + DAY_MS, toMs);
  while (after < toMs && offsetMs(timezone, after) === offset) {
    before = after;
    after = Math.min(before + DAY_MS, toMs);
  }
  if (offsetMs(timezone, after) === offset) return undefined;
  while (after - before > MINUTE_MS) {
    const middle = before + Math.floor((after - before) / MINUTE_MS / 2) * MINUTE_MS;
    if (offsetMs(timezone, middle) === offset) before = middle;
    else after = middle;
  }
  return after;
}

/** The date and the time on the wall: days since 1970-01-01 and minutes since midnight. */
function wallClock(timezone: string, atMs: number): { day: number; minute: number } {
  const wallMs = wallMsOf(timezone, atMs);
  const day = Math.floor(wallMs / DAY_MS);
  return { day, minute: (wallMs - day * DAY_MS) / MINUTE_MS };
}

const offsetMs = (timezone: string, atMs: number): number => wallMsOf(timezone, atMs) - atMs;

/** The minute on the wall, as if the wall were in UTC. */
function wallMsOf(timezone: string, atMs: number): number {
  const parts = formatterOf(timezone).format(atMs).match(/\d+/g) ?? [];
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0] = parts.map(Number);
  return Date.UTC(year, month - 1, day, hour, minute);
}

function formatterOf(timezone: string): Intl.DateTimeFormat {
  const known = formatters.get(timezone);
  if (known) return known;
  const numeric = 'numeric';
  const formatter = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
    timeZone: timezone,
    hourCycle: 'h23',
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
  });
  formatters.set(timezone, formatter);
  return formatter;
}

const isOn = ({ days }: Hours, day: number): boolean => {
  const weekday = WEEK[((day % WEEK.length) + WEEK.length) % WEEK.length];
  return weekday !== undefined && days.includes(weekday);
};

function minuteOf(clock: string): number {
  const [, hours, minutes] = CLOCK.exec(clock) ?? [];
  if (minutes === undefined) throw new RangeError(`"${clock}" is no time of day: write it as 08:30`);
  return Number(hours) * 60 + Number(minutes);
}

/** An offset such as +01:00 is none: it knows no daylight saving, and not every runtime takes it. */
function isTimezone(timezone: string): boolean {
  if (!/^[A-Za-z]/.test(timezone)) return false;
  try {
    formatterOf(timezone);
    return true;
  } catch {
    return false;
  }
}

function timezoneProblem(timezone: string): string {
  const [best] = nearest(timezone, Intl.supportedValuesOf('timeZone'));
  const hint = best === undefined ? 'write an IANA name such as Europe/Berlin' : `did you mean "${best}"?`;
  return `Timezone "${timezone}" is not known: ${hint}`;
}
