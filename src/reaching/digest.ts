import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import type { ActionRow } from '../records/action.ts';
import { openedAt } from './told.ts';

/** Low risk is told together, this often. */
export const DIGEST_EVERY_MS = 15 * 60_000;
/** Whoever has less time than this to answer is told at once. */
const ANSWERED_WITHIN_MS = 2 * DIGEST_EVERY_MS;

/** The number of the quarter of an hour that a moment is in. */
export const digestSlot = (at: Date): number => Math.floor(at.getTime() / DIGEST_EVERY_MS);
/** When the next digest goes out: never more than a quarter of an hour away. */
export const nextDigestAt = (now: Date): Date => new Date((digestSlot(now) + 1) * DIGEST_EVERY_MS);

/** Whether people are told of it by the agent's digest. What was passed on, or no digest could tell, is told alone. */
export function isDigested(action: ActionRow, { slack }: Pick<Agent, 'slack'>): boolean {
  const { approval, risk, reach, routed, stage, expires_at } = action;
  const hasMs = (expires_at?.getTime() ?? 0) - openedAt(action).getTime();
  return (
    approval?.notify === 'digest' &&
    risk === 'low' &&
    slack.channel !== undefined &&
    hasMs >= ANSWERED_WITHIN_MS &&
    reach?.state !== 'undelivered' &&
    !routed.some((route) => route.stage === stage)
  );
}

/** What waits and is told by the agent's digest, oldest first. What has a card of its own is not. */
export async function waitingForDigest(db: Sql, agent: Agent): Promise<ActionRow[]> {
  const rows = await db
    .selectFrom('open_action as open')
    .innerJoin('action', 'action.id', 'open.id')
    .selectAll('action')
    .where('open.agent', '=', agent.agent)
    .where('open.state', '=', 'pending')
    .where('risk', '=', 'low')
    .where('reach', 'is not', null)
    .where(({ not, exists, selectFrom, cast }) =>
      not(
        exists(
          selectFrom('card').select('card.ref').whereRef('card.ref', '=', cast<string>('action.id', 'text')),
        ),
      ),
    )
    .orderBy('open.asked_at')
    .orderBy('open.id')
    .execute();
  return rows.filter((action) => isDigested(action, agent));
}
