import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { isUuid } from '../db/uuid.ts';
import { isErrorCode, UNNAMED_ERROR } from '../domain/action.ts';
import { canonical } from '../domain/digest.ts';
import { AppError } from '../errors.ts';
import { type ActionRow, noSuchAction, ownAction } from '../records/action.ts';
import type { Services } from '../services.ts';
import { TOKEN_OVER } from '../tokens/tokens.ts';

export interface CompleteInput {
  id: string;
  executionId: string;
  ok: boolean;
  result?: unknown;
  /** A short code of the tool's own, e.g. `reservation_not_found`. Anything else is kept as `tool_failed`, without its text. */
  error?: string;
}

type CompletedRow = ActionRow & {
  /** Of the store's own. */
  earns_from: Date | null;
  status: 'unauthenticated' | 'unknown_action' | 'again' | 'wrong_state' | 'other_execution' | 'completed';
};

/**
 * What came of a begun action. A late report on an `unknown` action is always accepted; the same report again
 * changes nothing.
 * @throws AppError `wrong_state`, also when it was reported differently before
 */
export async function completeAction(
  services: Services,
  actor: Actor,
  input: CompleteInput,
): Promise<ActionRow> {
  requireRole(actor, ['agent']);
  const { id, executionId, ok, result } = input;
  if (!isUuid(id)) throw noSuchAction(id);
  const error = input.error === undefined || isErrorCode(input.error) ? input.error : UNNAMED_ERROR;
  const { token } = actor;
  const { rows } = await sql<CompletedRow>`
    SELECT c.status, (c.known).* FROM complete_action(${id}, ${actor.agent ?? null}, ${executionId}, ${ok},
      ${result === undefined ? null : canonical(result)}, ${error ?? null}, ${services.clock.now()}, ${actor.id},
      ${token?.id ?? null}, ${token?.epoch ?? null}) c`.execute(services.db.sql);
  const [row] = rows;
  if (!row) throw new Error('complete_action answered nothing');
  const { status, earns_from: _, ...action } = row;
  if (status === 'unauthenticated') throw new AppError('unauthenticated', TOKEN_OVER);
  if (status === 'again') return action;
  if (status === 'other_execution')
    throw new AppError('wrong_state', `Cannot complete action ${id}: it was begun by another execution`);
  if (status !== 'completed') {
    const { state } = status === 'unknown_action' ? await ownAction(services.db.sql, actor, id) : action;
    throw new AppError('wrong_state', `Cannot complete action ${id}: it is ${state}`, { state });
  }
  services.wake();
  return action;
}
