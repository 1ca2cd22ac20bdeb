import { sql } from 'kysely';
import type { Sql } from './database.ts';

const COUNTS = [
  'recount_posture',
  'recount_earned',
  'recount_volumes',
  'recount_approvals',
  'recount_business',
];

/** Counts what was stored before it was counted as it happens, once; beside everyday work, which waits for nothing of it. */
export async function recountOnce(db: Sql): Promise<void> {
  const { rows } = await sql<{ counts: string[] | null }>`SELECT counts FROM recount_due`.execute(db);
  // A row that names none means all of them.
  const due = COUNTS.filter((count) => rows.some(({ counts }) => counts?.includes(count) ?? true));
  if (rows.length === 0) return;
  for (const count of due) await sql`SELECT ${sql.ref(count)}()`.execute(db);
  await sql`DELETE FROM recount_due`.execute(db);
}
