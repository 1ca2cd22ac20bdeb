import { sql } from 'kysely';
import type { Sql } from '../../src/db/database.ts';

/** In SQL: every entry that is committed, numbered or not; `n` is the order in which they were written. */
export const WRITTEN_LOG = sql`(SELECT seq AS n, at, kind, agent, ref, body FROM log_entry
  UNION ALL SELECT 1000000000000 + id, at, kind, agent, ref, body FROM log_unnumbered)`;

interface Written {
  n: number;
  at: Date;
  kind: string;
  agent: string | null;
  ref: string | null;
  body: string;
}

/** The same for a query. */
export const writtenLog = (db: Sql) => db.selectFrom(WRITTEN_LOG.$castTo<Written>().as('entry'));
