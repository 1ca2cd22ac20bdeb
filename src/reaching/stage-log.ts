import type { Sql } from '../db/database.ts';
import type { Reach } from '../db/tables-action.ts';
import type { ActionRow } from '../records/action.ts';

/** How somebody was told, or can see it. */
export const WAYS = ['channel', 'dm', 'digest', 'page'] as const;
export type Way = (typeof WAYS)[number];

/** What an `action.reach` entry of the log says. */
export interface ReachEntry {
  state: Reach['state'];
  /** Person to ways. */
  told: Record<string, Way[]>;
  /** The alert that went out with it. */
  alert?: string;
}

/** What the log says of the open stage. */
export interface StageLog {
  /** When people were first asked in it. */
  openedAt: Date;
  /** Oldest first. */
  reached: readonly (ReachEntry & { at: Date })[];
}

const OPENS = ['action.asked', 'action.edited', 'action.stage'];

/** Reads since when the open stage of an action is open, and what has become of it. */
export async function stageLog(
  db: Sql,
  { id, asked_at }: Pick<ActionRow, 'id' | 'asked_at'>,
): Promise<StageLog> {
  const entries = await db
    .selectFrom('log_entry')
    .select(['kind', 'at', 'body'])
    .where('ref', '=', id)
    .where('kind', 'in', [...OPENS, 'action.reach'])
    .orderBy('id')
    .execute();
  const opening = entries.findLastIndex(({ kind }) => OPENS.includes(kind));
  const reached = entries
    .slice(opening + 1)
    .map(({ at, body }) => ({ ...(JSON.parse(body) as { data: ReachEntry }).data, at }));
  return { openedAt: entries[opening]?.at ?? asked_at, reached };
}
