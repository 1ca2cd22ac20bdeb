import { refreshCopies } from '../cards/copies.ts';
import { SlackFailure } from '../cards/posting/failure.ts';
import { isForGood } from '../cards/posting/turns.ts';
import type { ActionRow } from '../records/action.ts';
import type { FollowDeps } from './deliver.ts';

const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 15 * 60_000;
const MENDED_BY_PEOPLE_MS = 60_000;

/** Brings every copy up to the record. Answers when to try again, in epoch milliseconds, if Slack refuses. */
export async function refresh(
  { services, slack }: FollowDeps,
  action: ActionRow,
): Promise<number | undefined> {
  if (!slack) return undefined;
  try {
    await refreshCopies(services, slack, action.id);
    return undefined;
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error;
    const nowMs = services.clock.now().getTime();
    const growingMs = Math.min(RETRY_MAX_MS, Math.max(RETRY_MIN_MS, sinceChangeMs(action, nowMs) / 4));
    const ownMs = isForGood(error.code) ? Math.max(MENDED_BY_PEOPLE_MS, growingMs) : growingMs;
    return nowMs + (error.retryAfterMs ?? ownMs);
  }
}

/** How long ago the record of an action changed its state. */
export function sinceChangeMs(action: ActionRow, nowMs: number): number {
  const { asked_at, decided_at, began_at, completed_at, corrected_at } = action;
  const changes = [asked_at, decided_at, began_at, completed_at, corrected_at];
  return nowMs - Math.max(...changes.map((at) => at?.getTime() ?? 0));
}
