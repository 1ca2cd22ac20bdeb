import type { Selectable } from 'kysely';
import { type Actor, requireAllAgents, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { RetentionHoldTable } from '../db/tables-retention.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

export type Hold = Selectable<RetentionHoldTable>;

/** The holds in force, the oldest first. */
export const openHolds = (db: Sql): Promise<Hold[]> =>
  db.selectFrom('retention_hold').selectAll().where('released_at', 'is', null).orderBy('id').execute();

/** Nothing is dropped from now on, however old, until this is released: for an audit, a dispute, a court. */
export async function holdRetention(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  { reason }: { reason: string },
): Promise<Hold> {
  requireRole(actor, ['admin', 'auditor']);
  requireAllKept(actor);
  requireReason(reason, 'hold');
  const now = clock.now();
  return db.sql.transaction().execute(async (tx) => {
    const hold = await tx
      .insertInto('retention_hold')
      .values({ reason, held_by: actor.id, held_at: now })
      .returningAll()
      .executeTakeFirstOrThrow();
    const data = { hold: hold.id, reason };
    await appendEntry(tx, { kind: 'retention.held', at: now, actor: actor.id, data });
    return hold;
  });
}

/** @throws AppError `not_found` for one that is not in force */
export async function releaseRetention(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  { id, reason }: { id: number; reason: string },
): Promise<Hold> {
  requireRole(actor, ['admin']);
  requireAllKept(actor);
  requireReason(reason, 'release');
  const now = clock.now();
  return db.sql.transaction().execute(async (tx) => {
    const hold = await tx
      .updateTable('retention_hold')
      .set({ released_by: actor.id, released_at: now })
      .where('id', '=', id)
      .where('released_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (!hold)
      throw new AppError('not_found', `There is no hold ${id} in force`, {
        hint: 'portcullis retention status lists those in force',
      });
    await appendEntry(tx, {
      kind: 'retention.released',
      at: now,
      actor: actor.id,
      data: { hold: id, reason },
    });
    return hold;
  });
}

/** What is kept is kept for all agents. @throws AppError `forbidden` */
export const requireAllKept = (actor: Actor): void =>
  requireAllAgents(actor, ' alone: what is kept, is kept for all agents', {
    hint: 'Use a token that is not bound to an agent',
  });
