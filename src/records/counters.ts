import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

const FOLD_BATCH = 2_000;

/** Adds up what was counted since it was last added up: short transactions, one process at a time. */
export async function foldCounts(db: Sql, dayMs: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ n: number }>`SELECT fold_counts(${FOLD_BATCH}, ${dayMs}) AS n`.execute(db);
    if ((rows[0]?.n ?? 0) < FOLD_BATCH) return;
  }
}
