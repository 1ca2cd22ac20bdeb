import type { Selectable } from 'kysely';
import { type Actor, requireOwn } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { CycleReviewTable } from '../db/tables-reviews.ts';
import { type Calibration, calibrationOf } from '../domain/review/prediction.ts';
import { AppError } from '../errors.ts';

export type CycleRow = Selectable<CycleReviewTable>;

const LISTED_MAX = 200;

/** The reviews of cycles, newest first, at most 200. */
export function listCycleReviews(
  db: Sql,
  { agent, owed = false }: { agent?: string | undefined; owed?: boolean | undefined } = {},
): Promise<CycleRow[]> {
  let query = db
    .selectFrom('cycle_review')
    .selectAll()
    .orderBy('opened_at', 'desc')
    .orderBy('id', 'desc')
    .limit(LISTED_MAX);
  if (agent) query = query.where('agent', '=', agent);
  if (owed) query = query.where('settled_at', 'is', null);
  return query.execute();
}

/** @throws AppError `not_found` */
export async function cycleReviewById(db: Sql, actor: Actor, id: string): Promise<CycleRow> {
  const missing = new AppError('not_found', `There is no review "${id}"`);
  const row = await db.selectFrom('cycle_review').selectAll().where('id', '=', id).executeTakeFirst();
  if (!row) throw missing;
  requireOwn(actor, row, missing);
  return row;
}

/** How often the predictions of each team came out, by agent and who wrote them; of the newest reviews. */
export async function calibration(db: Sql, agent?: string): Promise<Calibration[]> {
  const rows = await listCycleReviews(db, { agent });
  return calibrationOf(
    rows.flatMap(({ agent: of, written_by: writer, prediction }) =>
      prediction && writer ? [{ team: `${of} / ${writer}`, prediction }] : [],
    ),
  );
}
