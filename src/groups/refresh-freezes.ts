import { type Selectable, sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { FreezeCalendarTable } from '../db/tables-rollout.ts';
import { canonical } from '../domain/digest.ts';
import { calendarsOf, type FreezeEntry } from '../domain/freeze.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { Services } from '../services.ts';
import type { Window } from './source.ts';

const DAY_MS = 86_400_000;
const KEPT_BACK_MS = DAY_MS;
const KEPT_AHEAD_MS = 60 * DAY_MS;
const READ_EVERY_MS = 300_000;
const RETRY_AFTER_MS = 30_000;

/** The times of the calendar at a place. @throws SourceFailure */
export type Calendars = (place: string, window: Window) => Promise<{ from: Date; to: Date }[]>;

interface Calendar {
  agent: string;
  ical: string;
}

interface Span {
  from: string;
  to: string;
}

/**
 * Reads the calendars of freezes that are due: one that was never read at once, else every five minutes. What cannot be read
 * keeps what it said, and says why. To be run by one process at a time; `stopping` ends it between two calendars.
 */
export async function refreshFreezes(
  services: Pick<Services, 'db' | 'clock' | 'log'>,
  calendars: Calendars,
  stopping?: AbortSignal,
): Promise<void> {
  const { db, clock } = services;
  const named = await namedCalendars(db.sql);
  const known = await db.sql.selectFrom('freeze_calendar').selectAll().execute();
  for (const { agent, ical } of known)
    if (!named.some((one) => one.agent === agent && one.ical === ical))
      await db.sql
        .deleteFrom('freeze_calendar')
        .where('agent', '=', agent)
        .where('ical', '=', ical)
        .execute();
  for (const calendar of named) {
    if (stopping?.aborted) return;
    const row = known.find(({ agent, ical }) => agent === calendar.agent && ical === calendar.ical);
    const now = clock.now();
    const everyMs = row?.failure === null ? READ_EVERY_MS : RETRY_AFTER_MS;
    if (row && now.getTime() - row.tried_at.getTime() < everyMs) continue;
    await keep(db.sql, calendar, now, await read(services, calendar, now, calendars), row);
  }
}

async function namedCalendars(db: Sql): Promise<Calendar[]> {
  const { rows } = await sql<{ name: string; freezes: FreezeEntry[] }>`
    SELECT name, manifest -> 'freezes' AS freezes FROM agent WHERE manifest @? '$.freezes[*].ical'`.execute(
    db,
  );
  return rows.flatMap(({ name, freezes }) =>
    [...new Set(calendarsOf(freezes).map(({ ical }) => ical))].map((ical) => ({ agent: name, ical })),
  );
}

async function read(
  { log }: Pick<Services, 'log'>,
  { agent, ical }: Calendar,
  now: Date,
  calendars: Calendars,
): Promise<{ spans: Span[] } | { failure: string }> {
  const window = {
    from: new Date(now.getTime() - KEPT_BACK_MS),
    to: new Date(now.getTime() + KEPT_AHEAD_MS),
  };
  try {
    const times = await calendars(ical, window);
    return { spans: times.map(({ from, to }) => ({ from: from.toISOString(), to: to.toISOString() })) };
  } catch (error) {
    if (error instanceof SourceFailure) return { failure: error.message };
    log.warn({ err: error, agent }, 'a calendar of freezes could not be read');
    return { failure: 'it could not be read: see the log of the process that reads it' };
  }
}

type Known = Selectable<FreezeCalendarTable>;

/** What changes whether a rollout may widen is told to those that are open. */
async function keep(
  db: Sql,
  { agent, ical }: Calendar,
  now: Date,
  found: { spans: Span[] } | { failure: string },
  before: Known | undefined,
): Promise<void> {
  const row =
    'spans' in found
      ? { spans: JSON.stringify(found.spans), tried_at: now, read_at: now, failure: null }
      : { tried_at: now, failure: found.failure };
  await db.transaction().execute(async (tx) => {
    await tx
      .insertInto('freeze_calendar')
      .values({ agent, ical, spans: '[]', ...row })
      .onConflict((conflict) => conflict.columns(['agent', 'ical']).doUpdateSet(row))
      .execute();
    if ('spans' in found && isNews(found.spans, before, now))
      await sql`INSERT INTO outbox (topic, key) SELECT 'rollout', id FROM rollout
        WHERE agent = ${agent} AND ended_at IS NULL`.execute(tx);
  });
}

/** Whatever it says: read again after it could not be, it may be the end of a freeze that nobody knew the end of. */
const isNews = (spans: readonly Span[], before: Known | undefined, now: Date): boolean =>
  before === undefined ||
  before.failure !== null ||
  now.getTime() - (before.read_at?.getTime() ?? 0) > 2 * READ_EVERY_MS ||
  canonical(before.spans) !== canonical(spans);
