import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { blocksAt } from '../domain/follow-up/ladder.ts';
import type { FollowUpRow } from './find.ts';

const LOOKED_AT = 200;

/** What keeps an agent from a start or a wider step. */
export type OverdueFollowUp = Pick<FollowUpRow, 'id' | 'sentence' | 'owner' | 'due_at' | 'incident_id'>;

/** The overdue ones of high severity that somebody committed to and nobody waives now, the oldest first. */
export async function overdueBlocks(db: Sql, agent: string, now: Date): Promise<OverdueFollowUp[]> {
  const rows = await db
    .selectFrom('follow_up')
    .selectAll()
    .where('agent', '=', agent)
    .where('severity', '=', 'high')
    .where('state', 'in', ['committed', 'claimed'])
    .where('due_at', '<', now)
    // Those that are waived do not stand before one that is not.
    .where(sql<boolean>`(waiver IS NULL OR (waiver ->> 'until')::timestamptz <= ${now})`)
    .orderBy('due_at')
    .limit(LOOKED_AT)
    .execute();
  return rows.filter(({ severity, state, due_at, waiver }) =>
    blocksAt({ severity, state, due: due_at, waivedUntil: waiver && new Date(waiver.until) }, now),
  );
}

/** In words, with what opens it. */
export const overdueText = ({ id, sentence, owner, due_at }: OverdueFollowUp): string =>
  `follow-up ${id} of ${owner ?? 'nobody'} is overdue since ${due_at?.toISOString() ?? '?'}: ${sentence}. It is done, or waived for a time: portcullis follow-ups waive ${id}`;
