import type { Selectable } from 'kysely';
import { type Actor, requireOwn } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { ActionPrivateTable, ActionTable } from '../db/tables-action.ts';
import { isUuid } from '../db/uuid.ts';
import { AppError } from '../errors.ts';

/** The row of one action: the authority on its state. */
export type ActionRow = Selectable<ActionTable>;

/** @throws AppError `not_found` */
export async function actionById(db: Sql, id: string): Promise<ActionRow> {
  return foundOf(id, byId(db, id)?.executeTakeFirst());
}

/** The row, if the actor may know of it. @throws AppError `not_found` */
export async function ownAction(db: Sql, actor: Actor, id: string): Promise<ActionRow> {
  const action = await actionById(db, id);
  requireOwn(actor, action, noSuchAction(id));
  return action;
}

/** The row of what may still change, held until the end of the transaction. @throws AppError `not_found` */
export async function lockedAction(tx: Sql, id: string): Promise<ActionRow> {
  const query = isUuid(id) ? tx.selectFrom('action').selectAll().where('id', '=', id) : undefined;
  return foundOf(id, query?.forUpdate().executeTakeFirst());
}

const byId = (db: Sql, id: string) =>
  isUuid(id) ? db.selectFrom('any_action').selectAll().where('id', '=', id) : undefined;

async function foundOf(id: string, found: Promise<ActionRow | undefined> | undefined): Promise<ActionRow> {
  const row = await found;
  if (!row) throw noSuchAction(id);
  return row;
}

/** What is told of an id that is of no action. */
export const noSuchAction = (id: string): AppError =>
  new AppError('not_found', `There is no action "${id.slice(0, 64)}"`);

/** Arguments, claims and salt; `undefined` once erased. */
export async function privateOf(db: Sql, id: string): Promise<Selectable<ActionPrivateTable> | undefined> {
  const kept = await db
    .selectFrom('action_private')
    .selectAll()
    .where('action_id', '=', id)
    .executeTakeFirst();
  if (kept) return kept;
  const read = await db
    .selectFrom('read_record')
    .select(['id', 'args', 'context', 'attributes', 'salt'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (!read || read.args === null || read.salt === null) return undefined;
  const { args, salt } = read;
  return {
    action_id: id,
    args,
    context: read.context ?? '{}',
    attributes: read.attributes ?? '{}',
    salt,
    result: null,
  };
}
