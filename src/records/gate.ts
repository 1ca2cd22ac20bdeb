import { sql } from 'kysely';
import type { Database, Sql } from '../db/database.ts';
import { withoutDeadlock } from '../db/failure.ts';

/**
 * Runs a change of what is in force alone behind the gate and raises the epoch: no write begins between its first
 * read and its commit, and every decision made under the old epoch is made again. `change` is given the new epoch; it
 * resolves to false where nothing was changed, and the epoch stays. It holds everybody up: what follows from it (voiding
 * what waits, telling people) comes after, by a revocation. `as`: what the database calls it meanwhile.
 */
export async function closeGateFor<T>(
  services: { db: Database; wake(): void },
  change: (tx: Sql, epoch: number) => Promise<T>,
  { as }: { as?: string } = {},
): Promise<T> {
  const result = await withoutDeadlock(() =>
    services.db.sql.transaction().execute(async (tx) => {
      // A process that stands still must not hold it.
      await sql`SET LOCAL idle_in_transaction_session_timeout = '5s'`.execute(tx);
      if (as) await sql`SELECT set_config('application_name', ${`portcullis ${as}`}, true)`.execute(tx);
      await sql`SELECT pg_advisory_xact_lock(gate_key())`.execute(tx);
      const epoch = (await readEpoch(tx)) + 1;
      const changed = await change(tx, epoch);
      if (changed !== false) await sql`SELECT raise_epoch()`.execute(tx);
      return changed;
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
