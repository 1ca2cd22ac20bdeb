import { type RawBuilder, sql } from 'kysely';
import type { Sql } from '../db/database.ts';

const BATCH = 2_000;
/** Nobody numbers them: how many more there are says nothing new. */
const TAIL_COUNTED_MAX = 100_000;

/** Numbers and chains what was committed since. One sequencer works at a time; another gets 0. */
export async function sequenceLog(db: Sql): Promise<number> {
  const { rows } = await sql<{ numbered: number }>`SELECT sequence_log(${BATCH}) AS numbered`.execute(db);
  return rows[0]?.numbered ?? 0;
}

/** How many committed entries have no number yet, at most 100,000: what `/readyz` and `log verify` show as the tail. */
export async function unsequencedTail(db: Sql): Promise<number> {
  const { rows } = await sql<{ tail: number }>`
    SELECT count(*)::int AS tail FROM (SELECT 1 FROM log_unnumbered LIMIT ${TAIL_COUNTED_MAX}) AS u`.execute(
    db,
  );
  return rows[0]?.tail ?? 0;
}

/** When the oldest of them was committed. */
export const oldestUnnumbered = (): RawBuilder<{ since: Date | null }> => sql`
  SELECT e.at AS since FROM log_entry e WHERE e.id = (SELECT entry_id FROM log_unnumbered ORDER BY entry_id LIMIT 1)`;
