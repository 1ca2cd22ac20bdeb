import type { Sql } from '../db/database.ts';
import type { StandingEndedBecause } from '../domain/approval/standing.ts';
import type { ActionRow } from '../records/action.ts';

/** "The like of it": given with an action. */
export interface CardStanding {
  envelope: string;
  maxUses: number;
  used: number;
  until: Date;
  by: string;
  ended: { at: Date; because: StandingEndedBecause | null; by: string | null } | undefined;
}

/** The standing approval an action ran by: who gave it, with which action. */
export interface RunUnder {
  by: string;
  action: string;
}

/** The standing approvals given with an action, and the one it ran by. */
export async function readStandingApprovals(
  db: Sql,
  action: ActionRow,
): Promise<{ standings: CardStanding[]; under: RunUnder | undefined }> {
  if (action.standing_id !== null) {
    const row = await db
      .selectFrom('standing_approval')
      .select(['action_id', 'created_by'])
      .where('id', '=', action.standing_id)
      .executeTakeFirst();
    return { standings: [], under: row && { by: row.created_by, action: row.action_id } };
  }
  // One is given with the approval by people, never before.
  if (action.decided_by !== 'person' || action.state === 'denied') return { standings: [], under: undefined };
  const rows = await db
    .selectFrom('standing_approval')
    .selectAll()
    .where('action_id', '=', action.id)
    .orderBy('starts_at')
    .execute();
  const standings = rows.map((row) => ({
    envelope: row.envelope,
    maxUses: row.max_uses,
    used: row.used,
    until: row.expires_at,
    by: row.created_by,
    ended: row.ended_at ? { at: row.ended_at, because: row.ended_because, by: row.ended_by } : undefined,
  }));
  return { standings, under: undefined };
}
