import { sql } from 'kysely';
import type { Database, Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';

/**
 * Runs a change of what is in force alone behind the gate and raises the epoch: no write begins between its first
 * read and its commit, and every decision made under the old epoch is made again.
 */
export async function closeGateFor<T>(
  services: { db: Database; wake(): void },
  change: (tx: Sql) => Promise<T>,
): Promise<T> {
  const result = await withoutDeadlock(() =>
    services.db.sql.transaction().execute(async (tx) => {
      await sql`SELECT pg_advisory_xact_lock(gate_key())`.execute(tx);
      await sql`SELECT raise_epoch()`.execute(tx);
      return change(tx);
    }),
  );
  services.wake();
  return result;
}

/** The number that rises with every change of what is in force. */
export async function readEpoch(db: Sql): Promise<number> {
  const { rows } = await sql<{ epoch: number }>`SELECT epoch FROM installation`.execute(db);
  if (!rows[0]) throw new Error('the store has no installation');
  return rows[0].epoch;
}
