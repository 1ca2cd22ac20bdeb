import { type Actor, requireOwn, requireRole } from '../../actor.ts';
import type { Sql } from '../../db/database.ts';
import type { StandingEndedBecause } from '../../domain/approval/standing.ts';
import { requireReason } from '../../reason.ts';
import { closeGateFor } from '../../records/gate.ts';
import { appendEntry } from '../../records/log-entry.ts';
import type { Services } from '../../services.ts';
import { noSuchStanding, type StandingApprovalRow, standingApprovalById } from './store.ts';

/**
 * Takes a standing approval back; repeating it changes nothing. Once it has returned no write begins by it.
 * @throws AppError `not_found`, `forbidden`
 */
export async function revokeStandingApproval(
  services: Services,
  actor: Actor,
  { id, reason }: { id: string; reason: string },
): Promise<StandingApprovalRow> {
  requireRole(actor, ['approver', 'on-call', 'release-manager']);
  const known = await standingApprovalById(services.db.sql, id);
  requireOwn(actor, known, noSuchStanding(id));
  requireReason(reason, 'end it');
  if (known.ended_at) return known;
  await closeGateFor(services, (tx) =>
    endStandingApproval(tx, known, 'revoked', services.clock.now(), actor.id, reason),
  );
  return standingApprovalById(services.db.sql, id);
}

/** Ends those whose time is over. Returns how many. */
export async function sweepStandingApprovals({ db, clock }: Services): Promise<number> {
  const now = clock.now();
  const due = await db.sql
    .selectFrom('standing_approval')
    .selectAll()
    .where('ended_at', 'is', null)
    .where('expires_at', '<=', now)
    .limit(200)
    .execute();
  for (const row of due)
    await db.sql.transaction().execute((tx) => endStandingApproval(tx, row, 'expired', now, 'sweeper'));
  return due.length;
}

/** Ends one, with its log entry; the card of the action it was given with follows. Ended ones stay as they are. */
export async function endStandingApproval(
  tx: Sql,
  { id, agent, action_id }: StandingApprovalRow,
  because: StandingEndedBecause,
  now: Date,
  by: string,
  reason?: string,
): Promise<void> {
  const ended = await tx
    .updateTable('standing_approval')
    .set({ ended_at: now, ended_because: because, ended_by: by })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  if (ended.numUpdatedRows === 0n) return;
  const data = { because, ...(reason ? { reason } : {}) };
  await appendEntry(tx, { kind: 'standing_approval.ended', agent, ref: id, at: now, actor: by, data });
  await tx.insertInto('outbox').values({ topic: 'action', key: action_id, payload: '{}' }).execute();
}
