import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { AppError } from '../errors.ts';

/** One numbered entry; `body` is its RFC 8785 JSON, byte for byte what is hashed. */
export interface LogRecord {
  seq: number;
  hash: string;
  body: string;
}

export interface LogQuery {
  /** Entries with a larger number. */
  after?: number;
  agent?: string;
  ref?: string;
  kind?: string;
  limit: number;
  newestFirst?: boolean;
}

/** By the index of the first that it names, whatever the statistics say of how much there is of it. */
export async function readLog(db: Sql, query: LogQuery): Promise<LogRecord[]> {
  const { after = 0 } = query;
  const order = query.newestFirst ? 'desc' : 'asc';
  const [by, ...others] = (['ref', 'kind', 'agent'] as const).filter((column) => query[column]);
  let select = db.selectFrom('log_entry').select(['seq', 'hash', 'body']).limit(query.limit);
  if (by === undefined) select = select.where('seq', '>', after);
  else {
    // A span of one value, in the order of its index: where it is equal, the order of the numbers would do, and all of them be read.
    const value = query[by] ?? '';
    select = select
      .where(sql<boolean>`(${sql.ref(by)}, seq) > (${value}, ${after})`)
      .where(by, '<=', value)
      .orderBy(by, order);
  }
  // Only looked at: an equality would be looked up by an index of its own, and all that it finds be sorted.
  for (const column of others) select = select.where(column, 'is not distinct from', query[column] ?? '');
  select = select.orderBy('seq', order);
  const rows = await select.execute();
  return rows.map(({ seq, hash, body }) => ({ seq, hash: Buffer.from(hash).toString('hex'), body }));
}

/**
 * What the log says about several things, in its order: at most `limit` entries after a number. It costs so many entries of each
 * ref at most, however long the log is.
 */
export async function readLogOf(
  db: Sql,
  refs: readonly string[],
  { after, limit }: { after: number; limit: number },
): Promise<LogRecord[]> {
  const { rows } = await sql<{ seq: number; hash: Buffer; body: string }>`
    SELECT DISTINCT e.seq, e.hash, e.body FROM unnest(${[...refs]}::text[]) AS r (ref), LATERAL (
      SELECT seq, hash, body FROM log_entry WHERE ref = r.ref AND seq > ${after} ORDER BY seq LIMIT ${limit}) AS e
    ORDER BY e.seq LIMIT ${limit}`.execute(db);
  return rows.map(({ seq, body, hash }) => ({ seq, hash: Buffer.from(hash).toString('hex'), body }));
}

/** @throws AppError `not_found` */
export async function logEntry(db: Sql, seq: number): Promise<LogRecord> {
  const [record] = await readLog(db, { after: seq - 1, limit: 1 });
  if (record?.seq !== seq) throw noSuchEntry(seq);
  return record;
}

/** What is told of a number that is of no entry. */
export const noSuchEntry = (seq: number): AppError =>
  new AppError('not_found', `The log has no entry ${seq}`);
