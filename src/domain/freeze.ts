import { z } from 'zod';
import { isOutwardPlace } from './address.ts';
import { durationBetween } from './schema/duration.ts';
import { wordsSchema } from './schema/words.ts';

const at = z.iso.datetime({ offset: true, precision: null }).or(z.iso.date());

/** A time in which nothing widens, or a calendar of such times. A date alone is its first moment, UTC. */
export const freezeSchema = z
  .strictObject({
    from: at.optional().describe('The moment it begins: 2026-12-20 or 2026-12-20T18:00:00+01:00'),
    to: at.optional().describe('The moment it ends'),
    ical: z
      .string()
      .min(1)
      .refine(isOutwardPlace, 'is no place of a calendar: write its https address or a file')
      .optional()
      .describe(
        'Instead of both a calendar (iCalendar), whose every entry is such a time: URL, or a file in the data folder',
      ),
    staleAfter: durationBetween('10m', '30d')
      .optional()
      .describe('Of a calendar: unread for so long, nothing widens until it is read again. Default: 1d'),
    reason: wordsSchema.describe('Why, as everybody who waits is told'),
  })
  .refine(({ from, to, ical }) => (ical === undefined ? from && to : !(from || to)), {
    message: 'says either from and to, or ical',
  })
  .refine(({ ical, staleAfter }) => ical !== undefined || staleAfter === undefined, {
    path: ['staleAfter'],
    message: 'goes with a calendar only: leave it out',
  })
  .refine(({ from, to }) => !from || !to || Date.parse(from) < Date.parse(to), {
    path: ['to'],
    message: 'lies before "from": write a later moment',
  });

export const CALENDAR_STALE_AFTER = '1d';

/** As a manifest writes it. */
export type FreezeEntry = z.infer<typeof freezeSchema>;

/** A calendar of freezes. */
export interface FreezeCalendar {
  ical: string;
  staleAfter: string;
  reason: string;
}

/** A time in which nothing widens. Without an end it is one because nobody knows: a calendar cannot be read. */
export interface Freeze {
  from?: string;
  to?: string;
  reason: string;
}

/** As everybody is told who waits for its end. */
export const freezeText = ({ to, reason }: Freeze): string =>
  to === undefined ? `a freeze: ${reason}` : `a freeze until ${to}: ${reason}`;

/** The calendars that a manifest names. */
export const calendarsOf = (freezes: readonly FreezeEntry[] = []): FreezeCalendar[] =>
  freezes.flatMap(({ ical, staleAfter = CALENDAR_STALE_AFTER, reason }) =>
    ical === undefined ? [] : { ical, staleAfter, reason },
  );

/** The freeze that a moment lies in: of several the one that ends last. Those of calendars are read elsewhere. */
export function freezeAt(
  { freezes = [] }: { freezes?: readonly FreezeEntry[] | undefined },
  now: Date,
): (Freeze & { to: string }) | undefined {
  const ms = now.getTime();
  return freezes
    .flatMap(({ from, to, reason }) => (from === undefined || to === undefined ? [] : { from, to, reason }))
    .filter(({ from, to }) => Date.parse(from) <= ms && ms < Date.parse(to))
    .sort((one, other) => Date.parse(other.to) - Date.parse(one.to))[0];
}
