import type { Selectable } from 'kysely';
import { type Actor, requireOwn } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { IncidentTable } from '../db/tables-learning.ts';
import { AppError } from '../errors.ts';

export type IncidentRow = Selectable<IncidentTable>;

/** Newest first. */
export function listIncidents(
  db: Sql,
  filter: { agent?: string; rollout?: string } = {},
): Promise<IncidentRow[]> {
  let query = db.selectFrom('incident').selectAll().orderBy('opened_at', 'desc').limit(200);
  if (filter.agent) query = query.where('agent', '=', filter.agent);
  if (filter.rollout) query = query.where('rollout_id', '=', filter.rollout);
  return query.execute();
}

/** @throws AppError `not_found` */
export async function incidentById(db: Sql, actor: Actor, id: string): Promise<IncidentRow> {
  const missing = new AppError('not_found', `There is no incident "${id}"`);
  const row = await db.selectFrom('incident').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw missing;
  requireOwn(actor, row, missing);
  return row;
}
