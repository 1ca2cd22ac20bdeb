import { sql } from 'kysely';
import type { Kept } from '../domain/retention.ts';
import type { Database, Sql } from './database.ts';

/** A table that grows by the day and lies in one partition a period. */
export interface Partitioned {
  table: string;
  /** What it is partitioned by: an id that begins with its time, or a time. */
  key: string;
  by: 'id' | 'time';
  every: Period;
  kept: Kept;
}

/** Each begins at midnight in UTC. */
type Period = 'week' | 'ten days' | 'month';

const ofActions = (table: string, kept: Kept, key = 'action_id'): Partitioned => ({
  table,
  key,
  by: 'id',
  every: 'month',
  kept,
});

/** Everything of an action lies by the action's id, so that it goes with it. The log has no period: see `log-partitions.ts`. */
export const PARTITIONED: readonly Partitioned[] = [
  ofActions('action', 'actions', 'id'),
  ofActions('decision', 'actions'),
  ofActions('action_edit', 'actions'),
  ofActions('seen', 'actions'),
  ofActions('receipt', 'actions'),
  ofActions('credential', 'actions'),
  ofActions('action_reach', 'actions'),
  ofActions('action_alert', 'actions'),
  ofActions('action_private', 'arguments'),
  ofActions('card_text', 'cards'),
  ofActions('digest_item', 'cards'),
  { table: 'read_record', key: 'id', by: 'id', every: 'week', kept: 'reads' },
  // key_period() of the SQL functions says the same.
  { table: 'asked_key', key: 'since', by: 'time', every: 'ten days', kept: 'keys' },
];

/** From when to when, without the end. */
export interface Span {
  from: Date;
  until: Date;
}

export interface Partition extends Span {
  name: string;
}

const DAY_MS = 86_400_000;
const ORIGIN_MS = Date.UTC(2000, 0, 1);
/** The present period and the next, so that a service that stands still over the turn finds it made. */
const AHEAD = 2;
/** Whoever waits for a lock of a table holds up everybody behind it. */
export const PARTITION_LOCK_MS = 200;

/** The period a moment falls into. */
export function periodOf(every: Period, at: Date): Span {
  if (every === 'month') {
    const month = (n: number) => new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + n, 1));
    return { from: month(0), until: month(1) };
  }
  const lengthMs = (every === 'week' ? 7 : 10) * DAY_MS;
  const fromMs = ORIGIN_MS + Math.floor((at.getTime() - ORIGIN_MS) / lengthMs) * lengthMs;
  return { from: new Date(fromMs), until: new Date(fromMs + lengthMs) };
}

const nameOf = (table: string, { from }: Span): string =>
  `${table}_${from.toISOString().slice(0, 10).replaceAll('-', '')}`;

/** The lowest id that a moment can give. */
export const lowestIdAt = (at: Date): string => {
  const hex = at.getTime().toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
};

const boundOf = ({ by }: Partitioned, at: Date): string => (by === 'id' ? lowestIdAt(at) : at.toISOString());

/** Makes the partitions that are missing now and for the next period. Returns how many it made. */
export async function makePartitions(db: Database, now: Date): Promise<number> {
  let made = 0;
  for (const one of PARTITIONED) {
    let span = periodOf(one.every, now);
    for (let n = 0; n < AHEAD; n++) {
      if (await makePartition(db.sql, one, span)) made++;
      span = periodOf(one.every, span.until);
    }
  }
  return made;
}

async function makePartition(db: Sql, one: Partitioned, span: Span): Promise<boolean> {
  const name = nameOf(one.table, span);
  if (await exists(db, name)) return false;
  const [from, until] = [sql.lit(boundOf(one, span.from)), sql.lit(boundOf(one, span.until))];
  const [table, key, rest] = [sql.table(one.table), sql.ref(one.key), sql.table(`${one.table}_kept`)];
  await db.transaction().execute(async (tx) => {
    await sql.raw(`SET LOCAL lock_timeout = ${PARTITION_LOCK_MS}`).execute(tx);
    // Whoever knows the partitions of before neither finds what is moved nor may write it: they look again after this.
    await sql`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`.execute(tx);
    await sql`CREATE TABLE ${sql.table(name)} (LIKE ${table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)`.execute(
      tx,
    );
    // What has ids of versions before, by chance of this time, or came while there was no partition.
    await sql`WITH moved AS (DELETE FROM ${rest} WHERE ${key} >= ${from} AND ${key} < ${until} RETURNING *)
      INSERT INTO ${sql.table(name)} SELECT * FROM moved`.execute(tx);
    await sql`ALTER TABLE ${table} ATTACH PARTITION ${sql.table(name)} FOR VALUES FROM (${from}) TO (${until})`.execute(
      tx,
    );
  });
  return true;
}

const exists = async (db: Sql, name: string): Promise<boolean> => {
  const { rows } = await sql<{ there: boolean }>`SELECT to_regclass(${name}) IS NOT NULL AS there`.execute(
    db,
  );
  return rows[0]?.there ?? false;
};

/** The partitions of a table, the oldest first; that of what is kept for longer is none of them. */
export async function partitionsOf(db: Sql, one: Partitioned): Promise<Partition[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = ${one.table}::regclass AND c.relname ~ '_[0-9]{8}$' ORDER BY c.relname`.execute(db);
  return rows.map(({ name }) => {
    const [, year, month, day] = /_(\d{4})(\d{2})(\d{2})$/.exec(name) ?? [];
    return { name, ...periodOf(one.every, new Date(`${year}-${month}-${day}T00:00:00Z`)) };
  });
}
