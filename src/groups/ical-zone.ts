import ICAL from 'ical.js';
import { SourceFailure } from '../net/source-failure.ts';

const DAY_MS = 86_400_000;

/** Makes every zone that a calendar names known to the library, and says which one its days are in. */
export class CalendarZones {
  readonly #calendar: ICAL.Component;

  constructor(calendar: ICAL.Component) {
    this.#calendar = calendar;
  }

  /**
   * A zone by its name: as the calendar defines it, else by its IANA name (calendars often leave the definition out).
   * @throws SourceFailure when it is neither: a time that is not known is not guessed
   */
  get(name: string): ICAL.Timezone {
    const known = this.#calendar.getTimeZoneByID(name) ?? ICAL.TimezoneService.get(name);
    if (known) return known;
    const offset = offsetsOf(name);
    if (!offset)
      throw new SourceFailure(
        `The calendar names the time zone "${name.slice(0, 80)}" and does not define it`,
      );
    const zone = new IanaZone(name, offset);
    ICAL.TimezoneService.register(zone, name);
    return zone;
  }

  /** The zone of whole days and of times without a zone: the calendar's own. @throws SourceFailure when it has none */
  ofDays(): ICAL.Timezone {
    const named = this.#calendar.getFirstPropertyValue('x-wr-timezone');
    if (typeof named === 'string' && named !== '') return this.get(named);
    const defined = this.#calendar.getAllSubcomponents('vtimezone');
    const only = defined.length === 1 ? defined[0]?.getFirstPropertyValue('tzid') : undefined;
    if (typeof only === 'string') return this.get(only);
    throw new SourceFailure(
      'The calendar has whole days, or times without a zone, and does not say where: add X-WR-TIMEZONE:Europe/Berlin (or your zone) to it',
    );
  }
}

type OffsetAt = (atMs: number) => number;

/** A zone by the data of this runtime, for the library to count with. */
class IanaZone extends ICAL.Timezone {
  readonly #offsetAt: OffsetAt;

  constructor(name: string, offsetAt: OffsetAt) {
    super({ tzid: name });
    this.#offsetAt = offsetAt;
  }

  /**
   * Seconds east of UTC at a time on the wall. RFC 5545 3.3.5: a time that comes twice is the first, one that is left out
   * goes by the offset before the gap.
   */
  override utcOffset({ year, month, day, hour, minute, second }: ICAL.Time): number {
    const wallMs = Date.UTC(year, month - 1, day, hour, minute, second);
    const before = this.#offsetAt(wallMs - DAY_MS);
    const after = this.#offsetAt(wallMs + DAY_MS);
    return [before, after].find((offset) => this.#offsetAt(wallMs - offset * 1_000) === offset) ?? before;
  }
}

/** The offset in seconds at any moment; `undefined` when this is no IANA zone. */
function offsetsOf(name: string): OffsetAt | undefined {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone: name, timeZoneName: 'longOffset' });
    return rememberDays((atMs) => offsetFrom(format.formatToParts(atMs)));
  } catch {
    return undefined;
  }
}

function offsetFrom(parts: readonly Intl.DateTimeFormatPart[]): number {
  const text = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = '0', minutes = '0', seconds = '0'] =
    /^GMT([+-])(\d\d):(\d\d)(?::(\d\d))?$/.exec(text) ?? [];
  const size = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds);
  return sign === '-' ? -size : size;
}

/** A rota asks for thousands of moments, and a day that begins and ends with the same offset has no other. */
function rememberDays(offsetAt: OffsetAt): OffsetAt {
  const midnights = new Map<number, number>();
  const atMidnight = (day: number): number => {
    const offset = midnights.get(day) ?? offsetAt(day * DAY_MS);
    midnights.set(day, offset);
    return offset;
  };
  return (atMs) => {
    const day = Math.floor(atMs / DAY_MS);
    const offset = atMidnight(day);
    return offset === atMidnight(day + 1) ? offset : offsetAt(atMs);
  };
}
