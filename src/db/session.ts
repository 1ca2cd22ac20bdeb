import { type Kysely, Kysely as KyselyImpl, PostgresDialect, type PostgresPoolClient } from 'kysely';
import type { PoolConfig } from 'pg';
import type { Tables } from './tables.ts';

/** The server ends a session that says nothing for so long, and with it what it holds. */
export const SILENT_MAX_MS = 10_000;
/** Less than the server allows: what was certain a moment ago is still so when it is acted upon. */
const CERTAIN_MS = 8_000;
const WORD_EVERY_MS = 2_500;
const STATEMENT_MAX_MS = 15_000;
/** Longer than any statement: whoever waits so long for its turn waits for itself. */
const TURN_MAX_MS = 30_000;

/**
 * One session of the store that is never replaced by another: once it is gone, everything asked on it fails, for good.
 * What it holds is free as soon as its process has stood still for `SILENT_MAX_MS`, by the server's own count.
 */
export interface Session {
  sql: Kysely<Tables>;
  /** Whether the server must still have it now: it is asked where it has heard nothing lately, by a clock that never stands still. */
  stands(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens one; `connection` says where, and which types are read how. */
export async function openSession(
  connection: Pick<PoolConfig, 'connectionString' | 'types'>,
  name: string,
): Promise<Session> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({
    ...connection,
    application_name: name,
    connectionTimeoutMillis: 5_000,
    query_timeout: STATEMENT_MAX_MS + 1_000,
    keepAlive: true,
    options: [
      '-c jit=off',
      `-c statement_timeout=${STATEMENT_MAX_MS}`,
      `-c idle_session_timeout=${SILENT_MAX_MS}`,
      `-c idle_in_transaction_session_timeout=${SILENT_MAX_MS}`,
      // An answer that nobody takes keeps the server from counting.
      `-c tcp_user_timeout=${SILENT_MAX_MS}`,
    ].join(' '),
  });
  let gone = false;
  let heardMs = performance.now();
  const isGone = () => {
    gone = true;
  };
  client.on('error', isGone).on('end', isGone);
  await client.connect();
  const query = async (text: string, values?: readonly unknown[]) => {
    if (gone) throw new Error(`Connection terminated: the session ${name} is gone`);
    const sentMs = performance.now();
    try {
      const answer = await client.query(text, values as unknown[]);
      heardMs = Math.max(heardMs, sentMs);
      return answer;
    } catch (error) {
      // Nobody knows what becomes of a statement whose answer is not waited for.
      if (String(error).includes('Query read timeout')) gone = true;
      throw error;
    }
  };
  const turns = inTurn();
  const connect = async () => {
    const release = await turns.next();
    return { query, release } as unknown as PostgresPoolClient;
  };
  const sql = new KyselyImpl<Tables>({
    dialect: new PostgresDialect({ pool: { connect, end: async () => {} } }),
  });
  const isCertain = () => !gone && performance.now() - heardMs < CERTAIN_MS;
  const sayWord = async () => {
    const { query: ask, release } = await connect();
    await ask('SELECT 1', []).finally(release);
  };
  const words = setInterval(() => {
    if (!gone && turns.isFree()) void sayWord().catch(() => {});
  }, WORD_EVERY_MS).unref();
  return {
    sql,
    async stands() {
      if (!gone && !isCertain()) await sayWord().catch(() => {});
      return isCertain();
    },
    async close() {
      clearInterval(words);
      gone = true;
      await client.end().catch(() => {});
    },
  };
}

/** One at a time, in the order of asking: a transaction is nobody else's. */
function inTurn() {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  return {
    isFree: () => waiting === 0,
    async next(): Promise<() => void> {
      const before = last;
      let free = () => {};
      last = new Promise((resolve) => {
        free = () => {
          free = () => {};
          waiting -= 1;
          resolve();
        };
      });
      waiting += 1;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('this session waits for itself')), TURN_MAX_MS);
      });
      try {
        await Promise.race([before, late]);
        return () => free();
      } catch (error) {
        void before.then(() => free());
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
