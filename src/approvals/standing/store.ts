import { randomUUID } from 'node:crypto';
import { type Selectable, sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import type { StandingWish } from '../../db/tables-action.ts';
import type { StandingApprovalTable, StandingEndedBecause } from '../../db/tables-approvals.ts';
import { isUuid } from '../../db/uuid.ts';
import { type Agent, toolOf } from '../../domain/agent.ts';
import { checkEnvelope, compileEnvelope } from '../../domain/decision/envelope.ts';
import type { CompiledStanding } from '../../domain/decision/weigh.ts';
import { AppError } from '../../errors.ts';
import { type ActionRow, privateOf } from '../../records/action.ts';
import { closeGateFor } from '../../records/gate.ts';
import { appendEntry } from '../../records/log-entry.ts';
import { manifestOf } from '../../records/manifest.ts';
import { type Actor, requireRole, type Services } from '../../services.ts';

export type StandingApprovalRow = Selectable<StandingApprovalTable>;

/** "The like of it, so many times, for so long." */
export interface StandingInput {
  /** CEL over `args`: what counts as the like of it. */
  envelope: string;
  maxUses: number;
  forMs: number;
}

export const STANDING_USES_MAX = 100;
export const STANDING_FOR_MAX_MS = 24 * 3_600_000;

/** The wish as it is kept with the action. @throws AppError `invalid_input` */
export function wishFrom(
  actor: Actor,
  action: ActionRow,
  { envelope, maxUses, forMs }: StandingInput,
): StandingWish {
  const cannot = (why: string) => new AppError('invalid_input', `Cannot approve the like of it: ${why}`);
  if (action.kind !== 'write') throw cannot('it is no write');
  if (!Number.isInteger(maxUses) || maxUses < 1 || maxUses > STANDING_USES_MAX)
    throw cannot(`it may be used 1 to ${STANDING_USES_MAX} times`);
  if (!(forMs >= 60_000 && forMs <= STANDING_FOR_MAX_MS)) throw cannot('it may last a minute to 24 hours');
  return { envelope: envelope.trim(), maxUses, forMs, by: actor.person ?? actor.id };
}

/**
 * Whether this release and these arguments allow it.
 * @throws AppError `not_eligible` when the release forbids it, `invalid_input` for the envelope, `wrong_state` when
 * others approved without it
 */
export async function assertMayStand(
  tx: Sql,
  { action, agent, answers }: { action: ActionRow; agent: Agent; answers: number },
  wish: StandingWish,
): Promise<void> {
  if (action.approval?.standing !== 'allowed')
    throw new AppError(
      'not_eligible',
      `Cannot approve the like of it: the release forbids standing approvals for "${action.tool}"`,
      { because: 'standing_forbidden' },
    );
  if (answers > 0)
    throw new AppError(
      'wrong_state',
      'Cannot approve the like of it: others answered this one without it. Approve this one alone',
    );
  const tool = toolOf(agent, action.tool);
  const kept = await privateOf(tx, action.id);
  if (!tool || !kept)
    throw new AppError('wrong_state', 'Cannot approve the like of it: its arguments are gone');
  const problem = checkEnvelope(wish.envelope, tool, JSON.parse(kept.args));
  if (problem) throw new AppError('invalid_input', `Cannot approve the like of it: ${problem}`);
}

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

/**
 * The live ones that might cover a request of this tool, ready for deciding; the longest lasting first. Those whose
 * approvers may not give them any more are not among them: people are asked again.
 */
export async function liveStandings(
  db: Sql,
  agent: string,
  tool: string,
  now: Date,
): Promise<CompiledStanding[]> {
  const rows = await db
    .selectFrom('standing_approval as s')
    .innerJoin('action as a', 'a.id', 's.action_id')
    .selectAll('s')
    .select('a.risk')
    .where('s.agent', '=', agent)
    .where('s.tool', '=', tool)
    .where('s.ended_at', 'is', null)
    .where('s.expires_at', '>', now)
    .where(sql<boolean>`approvers_stand(s.action_id, s.round, false, ${now}) = 'stands'`)
    .orderBy('s.expires_at', 'desc')
    .execute();
  if (rows.length === 0) return [];
  const manifest = await manifestOf(db, agent);
  const spec = toolOf(manifest, tool);
  if (!spec) return [];
  return rows.map((row) => ({
    id: row.id,
    tool: row.tool,
    grant: row.grant_name,
    release: row.release,
    segment: row.segment,
    arm: row.arm,
    generation: row.generation,
    risk: row.risk,
    matches: compileEnvelope(row.envelope, spec),
  }));
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

/**
 * Takes a standing approval back; repeating it changes nothing. Once it has returned no write begins by it.
 * @throws AppError `not_found`, `forbidden`
 */
export async function revokeStandingApproval(
  services: Services,
  actor: Actor,
  { id, reason }: { id: string; reason: string },
): Promise<StandingApprovalRow> {
  const known = await standingApprovalById(services.db.sql, id);
  requireRole(actor, ['approver', 'on-call', 'release-manager'], known.agent);
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

/** @throws AppError `not_found` */
export async function standingApprovalById(db: Sql, id: string): Promise<StandingApprovalRow> {
  const row = isUuid(id)
    ? await db.selectFrom('standing_approval').selectAll().where('id', '=', id).executeTakeFirst()
    : undefined;
  if (!row) throw new AppError('not_found', `There is no standing approval "${id.slice(0, 64)}"`);
  return row;
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
