import type { Sql } from '../db/database.ts';

/** The release in force in a segment. */
export async function releaseOf(db: Sql, agent: string, segment: string): Promise<string | undefined> {
  const rows = await db
    .selectFrom('in_force')
    .select(['segment', 'release'])
    .where('agent', '=', agent)
    .where('segment', 'in', [segment, 'default'])
    .execute();
  return (rows.find((row) => row.segment === segment) ?? rows[0])?.release;
}
