import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { ActionState } from '../domain/action.ts';
import { mayFollow } from '../domain/action.ts';
import type { ActionRow } from './action.ts';

/**
 * Changes an action's state by compare-and-set on (state, revision), with its log entry and outbox entry. False: the
 * row is no longer as read, and nothing was done.
 */
export async function moveAction(
  tx: Sql,
  from: Pick<ActionRow, 'id' | 'state' | 'revision'>,
  to: ActionState,
  kind: string,
  at: Date,
  actor: string,
  data: Record<string, unknown> = {},
): Promise<boolean> {
  if (!mayFollow(from.state, to)) return false;
  const { rows } = await sql<{
    moved: boolean;
  }>`SELECT move_action(${from.id}, ${from.state}, ${from.revision}, ${to},
    ${kind}, ${at}, ${actor}, ${JSON.stringify(data)}::jsonb) AS moved`.execute(tx);
  return rows[0]?.moved ?? false;
}
