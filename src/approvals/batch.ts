import type { Actor } from '../actor.ts';
import { isStoreDown, isStoreSlow } from '../db/failure.ts';
import type { Verdict } from '../domain/approval/approval.ts';
import { AppError, type ErrorCode } from '../errors.ts';
import { type ActionRow, actionById } from '../records/action.ts';
import type { Services } from '../services.ts';
import { alike } from './alike.ts';
import { answerAction } from './answer.ts';
import type { AnswerInput } from './answer-input.ts';

export const BATCH_MAX = 50;

/** One of a batch, as it was shown. */
export type BatchItem = Pick<AnswerInput, 'id' | 'digest' | 'revision'>;

/** What became of one of them: counted, or why not. */
export type BatchResult =
  | { id: string; counted: boolean; action: ActionRow }
  | { id: string; code: ErrorCode; message: string };

/**
 * Answers several actions, each by its own id, digest and revision and in its own transaction: one that may not be
 * answered, or a store that goes away, takes nothing from the others. Results are in the order of the items.
 * @throws AppError `invalid_input`
 */
export async function answerBatch(
  services: Services,
  actor: Actor,
  {
    items,
    verdict,
    reason,
    receivedAt,
  }: { items: readonly BatchItem[]; verdict: Verdict; reason?: string; receivedAt?: Date },
): Promise<BatchResult[]> {
  if (items.length === 0 || items.length > BATCH_MAX)
    throw new AppError('invalid_input', `Cannot answer ${items.length} at once: send 1 to ${BATCH_MAX}`);
  const results: BatchResult[] = [];
  for (const item of items) {
    try {
      const input = {
        ...item,
        verdict,
        together: true,
        ...(reason ? { reason } : {}),
        ...(receivedAt ? { receivedAt } : {}),
      };
      results.push({ id: item.id, ...(await answerAction(services, actor, input)) });
    } catch (error) {
      results.push({ id: item.id, ...refusalOf(error) });
    }
  }
  return results;
}

/** @throws what is no answer to this item */
function refusalOf(error: unknown): { code: ErrorCode; message: string } {
  if (error instanceof AppError) return { code: error.code, message: error.message };
  if (isStoreDown(error))
    return { code: 'store_down', message: 'NOT recorded: the database does not answer' };
  if (isStoreSlow(error)) return { code: 'store_slow', message: 'NOT recorded: the database took too long' };
  throw error;
}

/** What waits and is like this one: same agent, tool, grant, release and segment; the oldest first, itself included. */
export async function likeActions({ db }: Pick<Services, 'db'>, id: string): Promise<ActionRow[]> {
  const one = await actionById(db.sql, id);
  return alike(db.sql, one)
    .selectAll('action')
    .orderBy('open.asked_at')
    .orderBy('open.id')
    .limit(BATCH_MAX)
    .execute();
}
