import type { Selectable } from 'kysely';
import { type Actor, requireOwn } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { IncidentTable } from '../db/tables-learning.ts';
import { AppError } from '../errors.ts';

export type IncidentRow = Selectable<IncidentTable>;

export const noSuchIncident = (id: string): AppError =>
  new AppError('not_found', `There is no incident "${id.slice(0, 100)}"`);

/** The incident, if the actor may know of it. @throws AppError `not_found` */
export async function incidentById(db: Sql, actor: Actor, id: string): Promise<IncidentRow> {
  const row = await db.selectFrom('incident').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw noSuchIncident(id);
  requireOwn(actor, row, noSuchIncident(id));
  return row;
}

/** The row, held until the end of the transaction. @throws AppError `not_found` */
export async function lockedIncident(tx: Sql, id: string): Promise<IncidentRow> {
  const row = await tx.selectFrom('incident').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();
  if (!row) throw noSuchIncident(id);
  return row;
}

/** What somebody saw is what they act on. @throws AppError `conflict` when it changed since */
export function requireRevision(row: IncidentRow, seen: number, verb: string): void {
  if (row.revision !== seen)
    throw new AppError(
      'conflict',
      `Cannot ${verb} ${row.id}: it is at revision ${row.revision}${row.classified_by === null ? '' : `, classified by ${row.classified_by},`} and you saw ${seen}; look at it again`,
      { revision: row.revision, state: row.state },
    );
}

/** @throws AppError `wrong_state` for one that is merged into another: what concerns it is said of that one */
export function requireUnmerged(row: IncidentRow, verb: string): void {
  if (row.merged_into !== null)
    throw new AppError(
      'wrong_state',
      `Cannot ${verb} ${row.id}: it is merged into ${row.merged_into}; ${verb} that one, or unmerge this`,
      { mergedInto: row.merged_into },
    );
}
