import { type Selectable, sql } from 'kysely';
import { type Actor, requireOwn } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { FollowUpState, FollowUpTable } from '../db/tables-learning.ts';
import { AppError } from '../errors.ts';

export type FollowUpRow = Selectable<FollowUpTable>;

const missing = (id: string) => new AppError('not_found', `There is no follow-up "${id.slice(0, 100)}"`);

/** The follow-up, if the actor may know of it. @throws AppError `not_found` */
export async function followUpById(db: Sql, actor: Actor, id: string): Promise<FollowUpRow> {
  const row = await db.selectFrom('follow_up').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw missing(id);
  requireOwn(actor, row, missing(id));
  return row;
}

/** The row, held until the end of the transaction. @throws AppError `not_found` */
export async function lockedFollowUp(tx: Sql, id: string): Promise<FollowUpRow> {
  const row = await tx
    .selectFrom('follow_up')
    .selectAll()
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst();
  if (!row) throw missing(id);
  return row;
}

export interface FollowUpFilter {
  agent?: string | undefined;
  state?: FollowUpState | undefined;
  incident?: string | undefined;
  cursor?: string | undefined;
  limit?: number | undefined;
}

const LISTED = 100;

/** The last proposed first, a page at a time. */
export async function listFollowUps(
  db: Sql,
  { agent, state, incident, cursor, limit = LISTED }: FollowUpFilter = {},
): Promise<{ followUps: FollowUpRow[]; nextCursor?: string }> {
  let query = db
    .selectFrom('follow_up')
    .selectAll()
    .orderBy('proposed_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
  if (agent !== undefined) query = query.where('agent', '=', agent);
  if (state !== undefined) query = query.where('state', '=', state);
  if (incident !== undefined) query = query.where('incident_id', '=', incident);
  if (cursor !== undefined) {
    const [, ms, id] = /^(\d{1,15})_([\w-]{1,80})$/.exec(cursor) ?? [];
    if (ms === undefined || id === undefined)
      throw new AppError('invalid_input', 'Cannot read the cursor: send back nextCursor of the page before');
    query = query.where(sql<boolean>`(proposed_at, id) < (${new Date(Number(ms))}, ${id})`);
  }
  const rows = await query.execute();
  const followUps = rows.slice(0, limit);
  const last = followUps.at(-1);
  return rows.length > limit && last
    ? { followUps, nextCursor: `${last.proposed_at.getTime()}_${last.id}` }
    : { followUps };
}
