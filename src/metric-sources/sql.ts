import pg from 'pg';
import { filledIn, type MetricSource, type SourceWord, type SourceWords } from '../domain/metric-source.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { Asked } from './asked.ts';
import type { SourceCredentials } from './credentials.ts';

const TIMEOUT_MS = 10_000;
const WHAT = 'The database';

/** One statement that may only read, within ten seconds; its words are parameters, never a part of its text. */
export async function askSql(
  { database, query }: NonNullable<MetricSource['sql']>,
  words: SourceWords,
  credentials: SourceCredentials,
): Promise<Asked> {
  const asked: SourceWord[] = [];
  const text = filledIn(query, (word) => {
    if (!asked.includes(word)) asked.push(word);
    return `$${asked.indexOf(word) + 1}`;
  });
  const client = clientOf(database, credentials(database));
  // A connection that breaks is told by the query that waits for it.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query(
      text,
      asked.map((word) => words[word]),
    );
    const [row] = rows;
    if (rows.length !== 1 || !row || !('events' in row) || !('harms' in row))
      throw new SourceFailure(
        `${WHAT} answers with ${rows.length} rows: write a query of one, with events and harms`,
      );
    return { sent: [text], said: { events: row.events, harms: row.harms } };
  } catch (error) {
    if (error instanceof SourceFailure) throw error;
    const why = error instanceof pg.DatabaseError ? wordsOf(error) : codeOf(error);
    throw new SourceFailure(`${WHAT} ${database} does not answer: ${why}`, undefined, { cause: error });
  } finally {
    await client.end().catch(() => {});
  }
}

/** @throws SourceFailure the secret is no address; what it is stays unsaid */
function clientOf(database: string, connectionString: string): pg.Client {
  try {
    return new pg.Client({
      connectionString,
      application_name: 'portcullis source',
      connectionTimeoutMillis: TIMEOUT_MS,
      statement_timeout: TIMEOUT_MS,
      query_timeout: TIMEOUT_MS + 1_000,
      options: '-c default_transaction_read_only=on',
    });
  } catch {
    throw new SourceFailure(
      `PORTCULLIS_SOURCE_${database} is no address of a Postgres: write postgres://user@host/database`,
    );
  }
}

/** What a value is wrong about says the value: of those only the code is told. */
const wordsOf = ({ code, message }: pg.DatabaseError): string =>
  code?.startsWith('22') ? `a value is wrong (${code})` : message;

/** The words of a failed connection may name its address. */
function codeOf(error: unknown): string {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' ? code : 'check its address and the network';
}
