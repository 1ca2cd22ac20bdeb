import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

/** A build of the workflows' code, and since when this installation knows it. */
export interface KnownBuild {
  build: string;
  firstAt: Date;
}

/** Puts a build behind those that are known, unless it is one of them. Answers all, the oldest first. */
export async function noteBuild(db: Sql, build: string): Promise<KnownBuild[]> {
  await sql`INSERT INTO worker_build (build, first_at) VALUES (${build}, clock_timestamp())
    ON CONFLICT (build) DO NOTHING`.execute(db);
  const rows = await db.selectFrom('worker_build').selectAll().orderBy('first_at').orderBy('build').execute();
  return rows.map((row) => ({ build: row.build, firstAt: row.first_at }));
}
