import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { PARTITION_LOCK_MS } from '../db/partitions.ts';

interface Removed {
  table: string;
  name: string;
  /** When what lies in it ended. */
  until: Date;
  now: Date;
}

/**
 * Takes a partition out of its table and drops it, in the caller's transaction, and keeps that it did. `move` puts what must
 * stay back into the table, from where it lies no longer part of it, and resolves to how many those are.
 */
export async function removePartition(
  tx: Sql,
  { table, name, until, now }: Removed,
  move: () => Promise<number> = async () => 0,
): Promise<void> {
  await sql.raw(`SET LOCAL lock_timeout = ${PARTITION_LOCK_MS}`).execute(tx);
  const { rows } = await sql<{
    bytes: number;
  }>`SELECT pg_total_relation_size(${name}::regclass) AS bytes`.execute(tx);
  await sql`ALTER TABLE ${sql.table(table)} DETACH PARTITION ${sql.table(name)}`.execute(tx);
  const kept = await move();
  await sql`DROP TABLE ${sql.table(name)}`.execute(tx);
  const bytes = rows[0]?.bytes ?? 0;
  await tx.insertInto('retention_drop').values({ name, until, bytes, kept, at: now }).execute();
}
