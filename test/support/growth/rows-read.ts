import { sql } from 'kysely';
import type { Database } from '../../../src/db/database.ts';

const POOL_MAX = 20;

/** How many rows and index entries the store has read since it was made, as its server counts them. */
export async function rowsRead(db: Database): Promise<number> {
  await Promise.all([everyConnection(db, 'sql'), everyConnection(db, 'gate')]);
  const { rows } = await sql<{ n: number }>`
    SELECT (SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_user_tables)
      + (SELECT coalesce(sum(idx_tup_read), 0) FROM pg_stat_user_indexes) AS n`.execute(db.sql);
  return Number(rows[0]?.n ?? 0);
}

/** What a connection counted is told when it has time; here at once, by all of them. */
const everyConnection = (db: Database, pool: 'sql' | 'gate') =>
  Promise.all(
    Array.from({ length: POOL_MAX }, () =>
      sql`SELECT pg_stat_force_next_flush(), pg_sleep(0.02)`.execute(db[pool]),
    ),
  );
