import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Ended } from '../db/tables-learning.ts';

/** What an incident may end where it happened. */
export const ENDABLE = ['standingApprovals', 'autonomy'] as const;
export type Endable = (typeof ENDABLE)[number];

interface Where {
  agent: string;
  /** Undefined: in every segment. */
  segment?: string | undefined;
  at: Date;
  by: string;
  incident: string;
}

/** Ends what is named, in the transaction that opens the incident, each with its own entry in the log. Returns how many of each. */
export async function endByName(tx: Sql, names: readonly Endable[], where: Where): Promise<Ended> {
  const { agent, segment = null, at, by, incident } = where;
  const ended: Ended = {};
  if (names.includes('autonomy')) {
    const { rows } = await sql<{ live: number }>`
      SELECT count(*)::int AS live FROM autonomy
      WHERE agent = ${agent} AND state <> 'ask' AND (${segment}::text IS NULL OR segment = ${segment})`.execute(
      tx,
    );
    await sql`SELECT end_autonomy(${agent}, ${segment}, ${at}, ${by}, ${incident})`.execute(tx);
    ended.autonomy = rows[0]?.live ?? 0;
  }
  if (names.includes('standingApprovals')) {
    const { rows } = await sql<{ ended: number }>`
      SELECT end_standing_approvals(${agent}, NULL, ${segment}, 'incident', ${at}, ${by}) AS ended`.execute(
      tx,
    );
    ended.standingApprovals = rows[0]?.ended ?? 0;
  }
  return ended;
}
