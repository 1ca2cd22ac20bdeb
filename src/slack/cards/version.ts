import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';

/**
 * A number that rises with everything that changes what the card of an action says: twice the entries of the log about
 * it and what happened to standing approvals given with it, and one more once it is erased.
 */
export async function cardVersion(db: Sql, id: string): Promise<number> {
  const { rows } = await sql<{ version: string | number }>`
    SELECT 2 * (
        (SELECT count(*) FROM log_entry WHERE ref = ${id} AND kind LIKE 'action.%')
        + (SELECT coalesce(sum(1 + used + (ended_at IS NOT NULL)::int), 0) FROM standing_approval
          WHERE action_id = ${id}::uuid)
      ) + (NOT EXISTS (SELECT 1 FROM action_private WHERE action_id = ${id}::uuid))::int AS version`.execute(
    db,
  );
  return Number(rows[0]?.version);
}
