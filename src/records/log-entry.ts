import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

/** One fact for the log. Numbers in `data` are integers; other figures are strings, so that their bytes never vary. */
export interface Entry {
  kind: string;
  agent?: string | null;
  /** Action, rollout or switch it is about. */
  ref?: string | null;
  at: Date;
  actor: string;
  data: Record<string, unknown>;
}

/** Appends an entry inside the transaction of what it records; the sequencer numbers it later. */
export async function appendEntry(tx: Sql, { kind, agent, ref, at, actor, data }: Entry): Promise<void> {
  await sql`SELECT log_append(${kind}, ${agent ?? null}, ${ref ?? null}, ${at}, ${actor},
    ${JSON.stringify(data)}::jsonb)`.execute(tx);
}
