import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

const BATCH = 2_000;

/** Numbers and chains what was committed since. One sequencer works at a time; another gets 0. */
export async function sequenceLog(db: Sql): Promise<number> {
  const { rows } = await sql<{ numbered: number }>`SELECT sequence_log(${BATCH}) AS numbered`.execute(db);
  return rows[0]?.numbered ?? 0;
}

/** How many committed entries have no number yet: what `/readyz` and `log verify` show as the tail. */
export async function unsequencedTail(db: Sql): Promise<number> {
  const { rows } = await sql<{ tail: number }>`SELECT count(*)::int AS tail FROM log_unnumbered`.execute(db);
  return rows[0]?.tail ?? 0;
}
