import { sql } from 'kysely';
import type { Sql } from './database.ts';

/** A stretch of the log: from and with `from`, up to and without `until`. */
export interface LogPartition {
  name: string;
  from: number;
  until: number;
}

const WEEK_MS = 7 * 86_400_000;
const LEAST = 10_000;
const MOST = 50_000_000;

/** The partitions of the log, in order. */
export async function logPartitions(db: Sql): Promise<LogPartition[]> {
  const { rows } = await sql<{ name: string; bounds: string }>`
    SELECT c.relname AS name, pg_get_expr(c.relpartbound, c.oid) AS bounds
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'log_entry'::regclass`.execute(
    db,
  );
  return rows
    .map(({ name, bounds }) => {
      const [, from, until] = /FROM \('?(\d+)'?\) TO \('?(\d+)'?\)/.exec(bounds) ?? [];
      return { name, from: Number(from), until: Number(until) };
    })
    .sort((a, b) => a.from - b.from);
}

/**
 * Makes the next partition of the log once the last one is half full. Numbers have no calendar: it is as long as a week
 * is at the present rate.
 */
export async function makeLogPartition(db: Sql): Promise<boolean> {
  const partitions = await logPartitions(db);
  const last = partitions.at(-1);
  const head = await newestOf(db);
  await guard(
    db,
    partitions.map(({ name }) => name),
  );
  if (!last || head.seq < (last.from + last.until) / 2) return false;
  const length = await weekOf(db, head);
  const name = `log_entry_${last.until}`;
  await sql`CREATE TABLE ${sql.table(name)} (LIKE log_entry INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`.execute(
    db,
  );
  await sql`ALTER TABLE log_entry ATTACH PARTITION ${sql.table(name)}
    FOR VALUES FROM (${sql.lit(last.until)}) TO (${sql.lit(last.until + length)})`.execute(db);
  await guard(db, [name]);
  return true;
}

/** How many entries a week has. */
async function weekOf(db: Sql, head: { seq: number; at: Date }): Promise<number> {
  const before = await db
    .selectFrom('log_entry')
    .select(['seq', 'at'])
    .where('seq', '<=', head.seq - LEAST / 2)
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (!before) return LEAST;
  const perMs = (head.seq - before.seq) / Math.max(1, head.at.getTime() - before.at.getTime());
  return Math.min(MOST, Math.max(LEAST, Math.ceil(perMs * WEEK_MS)));
}

async function newestOf(db: Sql): Promise<{ seq: number; at: Date }> {
  const newest = await db
    .selectFrom('log_entry')
    .select(['seq', 'at'])
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return newest ?? { seq: 0, at: new Date(0) };
}

/** A partition can be emptied by its own name: the table's own trigger does not hold for that. */
async function guard(db: Sql, names: readonly string[]): Promise<void> {
  const { rows } = await sql<{ name: string }>`SELECT c.relname AS name FROM pg_class c
    WHERE c.relname = ANY (${names}) AND NOT EXISTS (SELECT 1 FROM pg_trigger t
      WHERE t.tgrelid = c.oid AND t.tgname = 'log_entry_not_emptied')`.execute(db);
  for (const { name } of rows)
    await sql`CREATE OR REPLACE TRIGGER log_entry_not_emptied BEFORE TRUNCATE ON ${sql.table(name)}
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()`.execute(db);
}
