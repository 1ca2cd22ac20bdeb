import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { IncidentTable } from '../db/tables.ts';
import { AppError } from '../errors.ts';

/** A breach and what was done about it. */
export type IncidentRow = Selectable<IncidentTable>;

/** Newest first. */
export async function listIncidents(
  db: Sql,
  { agent, rollout, limit = 100 }: { agent?: string; rollout?: string; limit?: number },
): Promise<IncidentRow[]> {
  let query = db.selectFrom('incident').selectAll().orderBy('opened_at', 'desc').orderBy('id').limit(limit);
  if (agent !== undefined) query = query.where('agent', '=', agent);
  if (rollout !== undefined) query = query.where('rollout_id', '=', rollout);
  return query.execute();
}

/** @throws AppError `not_found` */
export async function incidentById(db: Sql, id: string): Promise<IncidentRow> {
  const row = await db.selectFrom('incident').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw new AppError('not_found', `There is no incident "${id.slice(0, 64)}"`);
  return row;
}
