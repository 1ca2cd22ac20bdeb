import { type Actor, requireRole, type Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { eligibility, tally, type Verdict } from '../domain/approval.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../log/append.ts';
import { knowEvent, metricsCounting } from '../outcomes/event.ts';
import { moveAction } from './move.ts';
import { type ActionRow, actionById } from './store.ts';

/** A person's answer to one action, on what they saw of it. */
export interface DecisionInput {
  id: string;
  verdict: Verdict;
  /** Digest of the arguments and revision of the action as shown; another one means they saw something else. */
  digest?: string;
  revision?: number;
  reason?: string;
  /** When the surface received the click; lateness is judged by it. */
  receivedAt?: Date;
}

/** `counted: false` is a repetition of the same answer by the same person. */
export interface Decided {
  action: ActionRow;
  counted: boolean;
}

/**
 * Counts a person's decision: standing, what they saw, lateness, not twice. Committed when it returns; Temporal is
 * told afterwards and is not needed.
 * @throws AppError `not_eligible`, `not_pending`, `seen_outdated`, `already_decided`, `store_down`
 */
export async function decideAction(services: Services, actor: Actor, input: DecisionInput): Promise<Decided> {
  const known = await actionById(services.db.sql, input.id);
  requireRole(actor, ['approver'], known.agent);
  const { person } = actor;
  if (!person) throw new AppError('not_eligible', 'Cannot decide: the token stands for no person');
  const counted = await withoutDeadlock(() =>
    services.db.sql.transaction().execute(async (tx) => {
      const action = await lockedAction(tx, input.id);
      const earlier = await tx
        .selectFrom('decision')
        .selectAll()
        .where('action_id', '=', action.id)
        .where('person', '=', person)
        .executeTakeFirst();
      if (earlier?.verdict === input.verdict) return false;
      if (earlier) {
        throw new AppError(
          'already_decided',
          `Cannot change it: ${person} already decided to ${earlier.verdict}`,
        );
      }
      await assertMayDecide(services, tx, person, action, input);
      await count(services, tx, actor, person, action, input);
      return true;
    }),
  );
  services.wake();
  return { action: await actionById(services.db.sql, input.id), counted };
}

async function lockedAction(tx: Sql, id: string): Promise<ActionRow> {
  return tx.selectFrom('action').selectAll().where('id', '=', id).forUpdate().executeTakeFirstOrThrow();
}

async function assertMayDecide(
  services: Services,
  tx: Sql,
  person: string,
  action: ActionRow,
  input: DecisionInput,
) {
  const agent = await tx
    .selectFrom('agent')
    .select('manifest')
    .where('name', '=', action.agent)
    .executeTakeFirstOrThrow();
  const refusal = eligibility(person, agent.manifest, action);
  if (refusal)
    throw new AppError('not_eligible', `Cannot ${input.verdict}: ${refusal.message}`, { ...refusal });
  if (action.state !== 'pending') {
    throw new AppError('not_pending', `Cannot ${input.verdict}: the action is already ${action.state}`, {
      state: action.state,
    });
  }
  if (action.expires_at && (input.receivedAt ?? services.clock.now()) > action.expires_at) {
    throw new AppError(
      'not_pending',
      `Cannot ${input.verdict}: it expired at ${action.expires_at.toISOString()}`,
      {
        state: 'expired',
      },
    );
  }
  if (input.digest !== undefined && input.digest !== action.args_digest) {
    throw new AppError(
      'seen_outdated',
      `Cannot ${input.verdict}: the arguments shown are not those of the action`,
    );
  }
  if (input.revision !== undefined && input.revision !== action.revision) {
    throw new AppError('seen_outdated', `Cannot ${input.verdict}: the action changed since it was shown`);
  }
}

async function count(
  services: Services,
  tx: Sql,
  actor: Actor,
  person: string,
  action: ActionRow,
  input: DecisionInput,
): Promise<void> {
  const now = services.clock.now();
  await tx
    .insertInto('decision')
    .values({
      action_id: action.id,
      person,
      verdict: input.verdict,
      at: now,
      via: actor.via,
      identity: actor.identity,
      seen_revision: input.revision ?? null,
      seen_digest: input.digest ?? null,
      reason: input.reason ?? null,
    })
    .execute();
  const decisions = await tx
    .selectFrom('decision')
    .select('verdict')
    .where('action_id', '=', action.id)
    .execute();
  const policy = action.approval;
  if (!policy) throw new AppError('wrong_state', 'The action has no approval policy');
  const outcome = tally(
    decisions.map((decision) => decision.verdict),
    policy,
  );
  const data = {
    verdict: input.verdict,
    via: actor.via,
    identity: actor.identity,
    argsDigest: action.args_digest,
    seenRevision: input.revision ?? null,
    reason: input.reason ?? null,
  };
  if (outcome === 'pending') {
    await appendEntry(tx, {
      kind: 'action.decision',
      agent: action.agent,
      ref: action.id,
      at: now,
      actor: person,
      data,
    });
    await tx.insertInto('outbox').values({ topic: 'action', key: action.id, payload: '{}' }).execute();
    return;
  }
  await tx
    .updateTable('action')
    .set({
      decided_by: 'person',
      decided_at: now,
      ...(input.verdict === 'deny' ? { deny_reason: input.reason ?? null } : {}),
    })
    .where('id', '=', action.id)
    .execute();
  await moveAction(tx, action, outcome, `action.${outcome}`, now, person, data);
  const harm = outcome === 'denied' ? 1 : 0;
  for (const metric of await metricsCounting(tx, action, 'denials'))
    await knowEvent(tx, action, metric, harm, now);
}

/**
 * A denier's reason, given after the tap that already counted. The agent reads it as `denyReason`.
 * @throws AppError `not_eligible` when another person denied, `wrong_state` when nobody did
 */
export async function explainDenial(
  services: Services,
  actor: Actor,
  { id, reason }: { id: string; reason: string },
): Promise<ActionRow> {
  const action = await actionById(services.db.sql, id);
  if (action.state !== 'denied' || action.decided_by !== 'person') {
    throw new AppError('wrong_state', `Cannot add a reason: the action is ${action.state}`);
  }
  await services.db.sql.transaction().execute(async (tx) => {
    const own = await tx
      .updateTable('decision')
      .set({ reason })
      .where('action_id', '=', id)
      .where('person', '=', actor.person ?? '')
      .where('verdict', '=', 'deny')
      .executeTakeFirst();
    if (own.numUpdatedRows === 0n)
      throw new AppError('not_eligible', 'Cannot add a reason: another person denied it');
    await tx.updateTable('action').set({ deny_reason: reason }).where('id', '=', id).execute();
    await appendEntry(tx, {
      kind: 'action.deny_reason',
      agent: action.agent,
      ref: id,
      at: services.clock.now(),
      actor: actor.id,
      data: { reason },
    });
    await tx.insertInto('outbox').values({ topic: 'action', key: id, payload: '{}' }).execute();
  });
  services.wake();
  return actionById(services.db.sql, id);
}
