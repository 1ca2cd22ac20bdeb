import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { IncidentState } from '../db/tables-learning.ts';
import { AppError } from '../errors.ts';
import type { IncidentRow } from './find.ts';

export type { IncidentRow } from './find.ts';
export { incidentById } from './find.ts';

export interface IncidentFilter {
  agent?: string | undefined;
  rollout?: string | undefined;
  state?: IncidentState | undefined;
  /** As `nextCursor` gave it. */
  cursor?: string | undefined;
  limit?: number | undefined;
}

const LISTED = 200;

/** Newest first, a page at a time; each page is read from an index, however many there are. */
export async function listIncidents(
  db: Sql,
  filter: IncidentFilter = {},
): Promise<{ incidents: IncidentRow[]; nextCursor?: string }> {
  const { agent, rollout, state, cursor, limit = LISTED } = filter;
  let query = db
    .selectFrom('incident')
    .selectAll()
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (agent !== undefined) query = query.where('agent', '=', agent);
  if (rollout !== undefined) query = query.where('rollout_id', '=', rollout);
  if (state !== undefined) query = query.where('state', '=', state);
  if (cursor !== undefined) {
    const { at, id } = readCursor(cursor);
    query = query.where(sql<boolean>`(opened_at, id) < (${at}, ${id})`);
  }
  const rows = await query.execute();
  const incidents = rows.slice(0, limit);
  const last = incidents.at(-1);
  return rows.length > limit && last
    ? { incidents, nextCursor: `${last.opened_at.getTime()}_${last.id}` }
    : { incidents };
}

function readCursor(cursor: string): { at: Date; id: string } {
  const [, ms, id] = /^(\d{1,15})_([\w-]{1,80})$/.exec(cursor) ?? [];
  if (ms === undefined || id === undefined)
    throw new AppError('invalid_input', 'Cannot read the cursor: send back nextCursor of the page before');
  return { at: new Date(Number(ms)), id };
}

/** How many were closed, and how many happened again after one like them was: of all there are. */
export interface Recurrence {
  closed: number;
  again: number;
}

/** Each is counted in an index. */
export async function recurrenceOf(db: Sql, agent?: string): Promise<Recurrence> {
  let closed = db.selectFrom('incident').select(({ fn }) => fn.countAll<string>().as('n'));
  if (agent !== undefined) closed = closed.where('agent', '=', agent);
  const again = closed.where('recurrence_of', 'is not', null).where('merged_into', 'is', null);
  return {
    closed: Number((await closed.where('state', '=', 'closed').executeTakeFirst())?.n ?? 0),
    again: Number((await again.executeTakeFirst())?.n ?? 0),
  };
}

const MERGED_MAX = 50;

/** What stands beside an incident: those that are merged into it, and how many actions are in it and them. */
export async function mergedInto(
  db: Sql,
  id: string,
): Promise<{ merged: { id: string; writes: number }[]; more: boolean; writes: number }> {
  const { rows } = await sql<{ id: string; writes: number; all: number; count: number }>`
    SELECT id, writes, (sum(writes) OVER ())::int AS all, (count(*) OVER ())::int AS count FROM incident
    WHERE merged_into = ${id} ORDER BY opened_at, id LIMIT ${MERGED_MAX}`.execute(db);
  const [first] = rows;
  return {
    merged: rows.map(({ id: one, writes }) => ({ id: one, writes })),
    more: (first?.count ?? 0) > rows.length,
    writes: first?.all ?? 0,
  };
}
