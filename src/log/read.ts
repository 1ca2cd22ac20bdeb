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

export async function readLog(db: Sql, query: LogQuery): Promise<LogRecord[]> {
  let select = db
    .selectFrom('log_entry')
    .select(['seq', 'hash', 'body'])
    .orderBy('seq', query.newestFirst ? 'desc' : 'asc')
    .limit(query.limit);
  if (query.after !== undefined) select = select.where('seq', '>', query.after);
  if (query.agent) select = select.where('agent', '=', query.agent);
  if (query.ref) select = select.where('ref', '=', query.ref);
  if (query.kind) select = select.where('kind', '=', query.kind);
  const rows = await select.execute();
  return rows.map(({ seq, hash, body }) => ({ seq, hash: Buffer.from(hash).toString('hex'), body }));
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
