import { randomUUID } from 'node:crypto';
import type { Selectable } from 'kysely';
import type { Sql } from '../../db/database.ts';
import type { StandingWish } from '../../db/tables-action.ts';
import type { StandingApprovalTable } from '../../db/tables-approvals.ts';
import { isUuid } from '../../db/uuid.ts';
import { AppError } from '../../errors.ts';
import type { ActionRow } from '../../records/action.ts';
import { appendEntry } from '../../records/log-entry.ts';
export type StandingApprovalRow = Selectable<StandingApprovalTable>;

/** Goes live in the transaction that approves the action it was wished with. */
export async function startStandingApproval(
  tx: Sql,
  action: ActionRow,
  wish: StandingWish,
  now: Date,
): Promise<void> {
  if (!action.segment || !action.release || !action.grant_name) return;
  const id = randomUUID();
  const expires = new Date(now.getTime() + wish.forMs);
  await tx
    .insertInto('standing_approval')
    .values({
      id,
      agent: action.agent,
      tool: action.tool,
      grant_name: action.grant_name,
      release: action.release,
      segment: action.segment,
      arm: action.arm,
      generation: action.generation,
      action_id: action.id,
      round: action.round,
      envelope: wish.envelope,
      max_uses: wish.maxUses,
      used: 0,
      starts_at: now,
      expires_at: expires,
      created_by: wish.by,
    })
    .execute();
  await appendEntry(tx, {
    kind: 'standing_approval.started',
    agent: action.agent,
    ref: id,
    at: now,
    actor: wish.by,
    data: {
      action: action.id,
      tool: action.tool,
      segment: action.segment,
      maxUses: wish.maxUses,
      expires: expires.toISOString(),
    },
  });
}

/** Live and ended ones, the latest first. */
export function listStandingApprovals(
  db: Sql,
  { agent, live, limit }: { agent?: string; live: boolean; limit: number },
): Promise<StandingApprovalRow[]> {
  let query = db
    .selectFrom('standing_approval')
    .selectAll()
    .orderBy('starts_at', 'desc')
    .orderBy('id')
    .limit(limit);
  if (agent) query = query.where('agent', '=', agent);
  if (live) query = query.where('ended_at', 'is', null);
  return query.execute();
}

/** @throws AppError `not_found` */
export async function standingApprovalById(db: Sql, id: string): Promise<StandingApprovalRow> {
  const row = isUuid(id)
    ? await db.selectFrom('standing_approval').selectAll().where('id', '=', id).executeTakeFirst()
    : undefined;
  if (!row) throw noSuchStanding(id);
  return row;
}

/** What is told of an id that is of none. */
export const noSuchStanding = (id: string): AppError =>
  new AppError('not_found', `There is no standing approval "${id.slice(0, 64)}"`);
