import { type Actor, requireRole } from '../actor.ts';
import { isErrorCode, UNNAMED_ERROR } from '../domain/action.ts';
import { canonical, saltedDigest } from '../domain/digest.ts';
import { AppError } from '../errors.ts';
import { type ActionRow, actionById, ownAction, privateOf } from '../records/action.ts';
import { moveAction } from '../records/move.ts';
import type { Services } from '../services.ts';

export interface CompleteInput {
  id: string;
  executionId: string;
  ok: boolean;
  result?: unknown;
  /** A short code of the tool's own, e.g. `reservation_not_found`. Anything else is kept as `tool_failed`, without its text. */
  error?: string;
}

/**
 * What came of a begun action. A late report on an `unknown` action is always accepted; the same report again
 * changes nothing.
 * @throws AppError `wrong_state`, `conflict` when it was reported differently before
 */
export async function completeAction(
  services: Services,
  actor: Actor,
  input: CompleteInput,
): Promise<ActionRow> {
  requireRole(actor, ['agent']);
  const action = await ownAction(services.db.sql, actor, input.id);
  const to = input.ok ? 'executed' : 'failed';
  if (action.state === to && action.execution_id === input.executionId) return action;
  if (action.state !== 'executing' && action.state !== 'unknown') {
    throw new AppError('wrong_state', `Cannot complete action ${action.id}: it is ${action.state}`, {
      state: action.state,
    });
  }
  if (action.execution_id !== input.executionId) {
    throw new AppError(
      'wrong_state',
      `Cannot complete action ${action.id}: it was begun by another execution`,
    );
  }
  const now = services.clock.now();
  const error = input.error === undefined || isErrorCode(input.error) ? input.error : UNNAMED_ERROR;
  const kept = await privateOf(services.db.sql, action.id);
  const resultDigest = kept ? saltedDigest(Buffer.from(kept.salt), input.result ?? null) : null;
  await services.db.sql.transaction().execute(async (tx) => {
    const moved = await moveAction(tx, action, to, `action.${to}`, now, actor.id, {
      resultDigest,
      ...(error ? { error } : {}),
    });
    if (!moved) throw new AppError('conflict', `Cannot complete action ${action.id}: it changed meanwhile`);
    await tx
      .updateTable('action')
      .set({ completed_at: now, result_digest: resultDigest, error_code: error ?? null })
      .where('id', '=', action.id)
      .execute();
    await tx
      .updateTable('credential')
      .set({ revoked_at: now })
      .where('action_id', '=', action.id)
      .where('revoked_at', 'is', null)
      .execute();
    if (input.result !== undefined) {
      await tx
        .updateTable('action_private')
        .set({ result: canonical(input.result) })
        .where('action_id', '=', action.id)
        .execute();
    }
  });
  services.wake();
  return actionById(services.db.sql, action.id);
}
