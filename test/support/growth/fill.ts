import { type RawBuilder, sql } from 'kysely';
import type { Database, Sql } from '../../../src/db/database.ts';
import { logPartitions } from '../../../src/db/log-partitions.ts';
import { makePartitions } from '../../../src/db/partitions.ts';

/** What a store is filled with, on top of what is there. */
export interface Fill {
  reads: number;
  /** Executed writes, one in ten asked of a person. */
  writes: number;
  /** Writes that wait for a person. */
  pending: number;
}

/** One recorded read, one executed write that a person approved, one that waits: what the store is filled with copies of. */
export interface Templates {
  read: string;
  executed: string;
  pending: string;
}

const DAY_MS = 86_400_000;
const DAYS = 90;
const OTHER_AGENTS = 20;
const SUBJECTS = 50_000;
const ENTRIES_A_WRITE = 4;

/**
 * Fills the store as ninety days of traffic would have, by SQL: copies of what was recorded for real, one in five of the
 * same agent and the others of twenty more, about fifty thousand subjects, with keys and entries of the log. The log's
 * hashes are not a chain: whoever verifies begins behind it. Nothing is analysed but by the server's own doing.
 */
export async function fillStore(db: Database, templates: Templates, fill: Fill, now: Date): Promise<void> {
  for (let day = DAYS; day >= 0; day -= 5) await makePartitions(db, new Date(now.getTime() - day * DAY_MS));
  const from = now.getTime() - DAYS * DAY_MS;
  const { sql: q, close } = await db.openMigration();
  await sql`INSERT INTO subject (agent, name, key) SELECT 'other-' || n % ${OTHER_AGENTS}, 'customer ' || n, '\\x00'
    FROM generate_series(1::bigint, ${SUBJECTS}) n`.execute(q);
  await copies(q, 'read_record', 'id', templates.read, fill.reads, from);
  await copies(q, 'action', 'id', templates.executed, fill.writes, from);
  for (const table of ['action_private', 'credential'])
    await copies(q, table, 'action_id', templates.executed, fill.writes, from);
  for (const table of ['decision', 'receipt', 'card_text'])
    await copies(q, table, 'action_id', templates.executed, Math.ceil(fill.writes / 10), from);
  await copies(q, 'action', 'id', templates.pending, fill.pending, now.getTime() - DAY_MS, 'pending ');
  await copies(
    q,
    'action_private',
    'action_id',
    templates.pending,
    fill.pending,
    now.getTime() - DAY_MS,
    'pending ',
  );
  await fillKeys(q, fill);
  await fillLog(q, fill.reads + ENTRIES_A_WRITE * fill.writes, from);
  await close();
}

/** The id of the nth copy: its time, and the rest by its number. */
const idAt = (fromMs: number, stepMs: number, salt: string): RawBuilder<string> =>
  sql`(lpad(to_hex((${sql.lit(fromMs)} + n * ${sql.lit(stepMs)})::bigint), 12, '0') || '7'
    || substr(md5(${sql.lit(salt)} || n), 1, 3) || '8' || substr(md5(${sql.lit(salt)} || n), 4, 15))::uuid`;

async function copies(
  db: Sql,
  table: string,
  key: string,
  template: string,
  count: number,
  fromMs: number,
  salt = '',
): Promise<void> {
  if (count === 0) return;
  const stepMs = (DAYS * DAY_MS * (salt === '' ? 1 : 1 / DAYS)) / count;
  const { rows } = await sql<{ name: string }>`SELECT attname AS name FROM pg_attribute
    WHERE attrelid = ${table}::regclass AND attnum > 0 AND NOT attisdropped`.execute(db);
  const at = sql`to_timestamp((${sql.lit(fromMs)} + n * ${sql.lit(stepMs)}) / 1000.0)`;
  const others = new Map<string, RawBuilder<unknown>>([
    [key, idAt(fromMs, stepMs, salt)],
    ['asked_at', at],
    [
      'agent',
      sql`CASE WHEN n % 5 = 0 OR t.state = 'pending' THEN t.agent ELSE 'other-' || n % ${sql.lit(OTHER_AGENTS)} END`,
    ],
    ['subject_id', sql`(n % ${sql.lit(SUBJECTS)} + 2)::bigint`],
    ['subject_digest', sql`md5('s' || n % ${sql.lit(SUBJECTS)})`],
    ['same_digest', sql`md5(${sql.lit(salt)} || 'same' || n)`],
    ['idempotency_key', sql`${sql.lit(salt)} || 'filled ' || n`],
    ['jti', sql`md5('jti' || n)::uuid`],
    ['decided_at', sql`CASE WHEN t.decided_at IS NOT NULL THEN ${at} END`],
    [
      'expires_at',
      sql`CASE WHEN t.state = 'pending' THEN t.expires_at + interval '30 days' ELSE t.expires_at END`,
    ],
  ]);
  if (table === 'decision') others.set('at', at);
  if (table === 'receipt') others.set('id', sql`nextval('receipt_id_seq')`);
  if (table === 'credential') others.delete('expires_at');
  const names = rows.map(({ name }) => name);
  const values = names.map((name) => others.get(name) ?? sql.ref(`t.${name}`));
  await sql`INSERT INTO ${sql.table(table)} (${sql.join(names.map((name) => sql.ref(name)))})
    SELECT ${sql.join(values)} FROM generate_series(1::bigint, ${sql.lit(count)}) n,
      (SELECT * FROM ${sql.table(table)} WHERE ${sql.ref(key)} = ${template} LIMIT 1) t`.execute(db);
}

async function fillKeys(db: Sql, { reads, writes }: Fill): Promise<void> {
  await sql`INSERT INTO asked_key (agent, key, since, action_id, request_digest)
    SELECT 'other-' || n % ${OTHER_AGENTS}, 'filled ' || n, key_period(clock_timestamp()), gen_random_uuid(), ''
    FROM generate_series(1::bigint, ${Math.ceil((reads + writes) / 9)}) n`.execute(db);
}

async function fillLog(db: Sql, count: number, fromMs: number): Promise<void> {
  const [last] = (await logPartitions(db)).slice(-1);
  const { rows } = await sql<{ head: number }>`SELECT coalesce(max(seq), 0) AS head FROM log_entry`.execute(
    db,
  );
  const [head, begin] = [rows[0]?.head ?? 0, last?.until ?? 1];
  await sql`CREATE TABLE ${sql.table(`log_entry_${begin}`)} PARTITION OF log_entry
    FOR VALUES FROM (${sql.lit(begin)}) TO (${sql.lit(begin + 2 * count + 1_000_000)})`.execute(db);
  const stepMs = (DAYS * DAY_MS) / count;
  await sql`INSERT INTO log_entry (seq, at, kind, agent, ref, body, hash)
    SELECT ${head} + n, to_timestamp((${sql.lit(fromMs)} + n * ${sql.lit(stepMs)}) / 1000.0),
      (ARRAY['action.asked', 'action.asked', 'action.begun', 'credential.issued', 'action.executed'])[n % 5 + 1],
      'other-' || n % ${OTHER_AGENTS}, ${idAt(fromMs, stepMs, 'ref')}::text, t.body, sha256(n::text::bytea)
    FROM generate_series(1::bigint, ${sql.lit(count)}) n,
      (SELECT body FROM log_entry WHERE kind = 'action.asked' ORDER BY seq LIMIT 1) t`.execute(db);
}
