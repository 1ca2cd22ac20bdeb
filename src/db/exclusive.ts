import { sql } from 'kysely';
import type { Database } from './database.ts';

/** Advisory locks of the work that one process at a time does; those of SQL are in its functions, each with a number of its own. */
export const LOCKS = {
  judge: 727_003,
  dispatcher: 727_004,
  sweeper: 727_005,
  groups: 727_006,
  autonomy: 727_007,
  storedCode: 727_008,
  stops: 727_011,
  reconciler: 727_012,
  retention: 727_014,
  migration: 727_020,
} as const;

/**
 * Runs `work` if no other process is doing the same.
 * @returns whether it ran
 */
export async function exclusively(
  db: Database,
  lock: number,
  work: () => Promise<unknown>,
): Promise<boolean> {
  return db.sql.connection().execute(async (connection) => {
    const { rows } = await sql<{ got: boolean }>`SELECT pg_try_advisory_lock(${lock}) AS got`.execute(
      connection,
    );
    if (!rows[0]?.got) return false;
    try {
      await work();
    } finally {
      await sql`SELECT pg_advisory_unlock(${lock})`.execute(connection);
    }
    return true;
  });
}
