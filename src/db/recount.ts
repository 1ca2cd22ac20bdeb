import { sql } from 'kysely';
import type { Sql } from './database.ts';

const COUNTS = ['recount_posture', 'recount_earned', 'recount_volumes', 'recount_approvals'];

/** Counts what was stored before it was counted as it happens, once; beside everyday work, which waits for nothing of it. */
export async function recountOnce(db: Sql): Promise<void> {
  const { rows } = await sql`SELECT at FROM recount_due LIMIT 1`.execute(db);
  if (rows.length === 0) return;
  for (const count of COUNTS) await sql`SELECT ${sql.ref(count)}()`.execute(db);
  await sql`DELETE FROM recount_due`.execute(db);
}
