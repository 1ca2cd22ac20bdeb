import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { durationMs } from '../domain/duration.ts';
import { calendarsOf, type Freeze, freezeAt } from '../domain/freeze.ts';

/**
 * What keeps a rollout of the agent from widening now: a time of its manifest, one of a calendar, or a calendar of which nobody
 * knows what it says. A freeze holds for a rollout that began before it was written.
 */
export async function runningFreeze(db: Sql, agent: Agent, now: Date): Promise<Freeze | undefined> {
  const calendars = calendarsOf(agent.freezes);
  const written = freezeAt(agent, now);
  if (calendars.length === 0) return written;
  const rows = await db.selectFrom('freeze_calendar').selectAll().where('agent', '=', agent.agent).execute();
  const read = calendars.map((calendar) => ({
    ...calendar,
    row: rows.find(({ ical }) => ical === calendar.ical),
  }));
  const spans = read.flatMap(({ row, reason }) => (row?.spans ?? []).map((span) => ({ ...span, reason })));
  const known = freezeAt({ freezes: [...(written ? [written] : []), ...spans] }, now);
  if (known) return known;
  const stale = read.find(
    ({ row, staleAfter }) =>
      now.getTime() - (row?.read_at?.getTime() ?? Number.NEGATIVE_INFINITY) > durationMs(staleAfter),
  );
  return stale && { reason: `${stale.reason}, unless its calendar says otherwise: ${unread(stale.row)}` };
}

const unread = (row: { failure: string | null; read_at: Date | null } | undefined): string =>
  row === undefined
    ? 'it was not read yet, a process with the role worker reads it'
    : `${row.failure ?? 'it was not read lately'} (last read ${row.read_at?.toISOString() ?? 'never'})`;
