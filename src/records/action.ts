import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { ActionTable } from '../db/tables-action.ts';
import { isUuid } from '../db/uuid.ts';
import { AppError } from '../errors.ts';

/** The row of one action: the authority on its state. */
export type ActionRow = Selectable<ActionTable>;

/** @throws AppError `not_found` */
export async function actionById(db: Sql, id: string): Promise<ActionRow> {
  return foundOf(id, byId(db, id)?.executeTakeFirst());
}

/** The row, held until the end of the transaction. @throws AppError `not_found` */
export async function lockedAction(tx: Sql, id: string): Promise<ActionRow> {
  return foundOf(id, byId(tx, id)?.forUpdate().executeTakeFirst());
}

const byId = (db: Sql, id: string) =>
  isUuid(id) ? db.selectFrom('action').selectAll().where('id', '=', id) : undefined;

async function foundOf(id: string, found: Promise<ActionRow | undefined> | undefined): Promise<ActionRow> {
  const row = await found;
  if (!row) throw noSuchAction(id);
  return row;
}

/** What is told of an id that is of no action. */
export const noSuchAction = (id: string): AppError =>
  new AppError('not_found', `There is no action "${id.slice(0, 64)}"`);

/** Arguments, claims and salt; `undefined` once erased. */
export const privateOf = (db: Sql, id: string) =>
  db.selectFrom('action_private').selectAll().where('action_id', '=', id).executeTakeFirst();

export interface ActionFilter {
  agent?: string;
  state?: ActionRow['state'];
  segment?: string;
  /** The `asked_at` and id after which the page starts, as `nextCursor` gave it. */
  cursor?: string;
  limit: number;
}

/** Newest first. */
export async function listActions(
  db: Sql,
  filter: ActionFilter,
): Promise<{ actions: ActionRow[]; nextCursor?: string }> {
  let query = db
    .selectFrom('action')
    .selectAll()
    .orderBy('asked_at', 'desc')
    .orderBy('id')
    .limit(filter.limit + 1);
  if (filter.agent) query = query.where('agent', '=', filter.agent);
  if (filter.state) query = query.where('state', '=', filter.state);
  if (filter.segment) query = query.where('segment', '=', filter.segment);
  if (filter.cursor) {
    const [at, id] = parseCursor(filter.cursor);
    query = query.where((where) =>
      where.or([where('asked_at', '<', at), where.and([where('asked_at', '=', at), where('id', '>', id)])]),
    );
  }
  const rows = await query.execute();
  const actions = rows.slice(0, filter.limit);
  const last = actions.at(-1);
  return rows.length > filter.limit && last
    ? { actions, nextCursor: `${last.asked_at.toISOString()}_${last.id}` }
    : { actions };
}

function parseCursor(cursor: string): [Date, string] {
  const [at, id] = cursor.split('_');
  const date = new Date(at ?? '');
  if (!id || !isUuid(id) || Number.isNaN(date.getTime())) {
    throw new AppError('invalid_input', 'Cannot read the cursor: send back nextCursor of the page before');
  }
  return [date, id];
}
