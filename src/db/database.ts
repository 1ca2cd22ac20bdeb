import { hostname } from 'node:os';
import { type Kysely, Kysely as KyselyImpl, sql } from 'kysely';
import { NamesOnlyDialect } from './names-only.ts';
import { openSession, type Session } from './session.ts';
import type { Tables } from './tables.ts';

export type Sql = Kysely<Tables>;

/** The store: Postgres, ours or the operator's. */
export interface Database {
  /** Everyday work. */
  readonly sql: Sql;
  /** The gate's own few connections: short statements that give up rather than hold it open. */
  readonly gate: Sql;
  /** For a stop: its own connection outside every pool, without a time limit; closed by the caller. */
  openStop(): Promise<OwnConnection>;
  /** The same for changes of tables. */
  openMigration(): Promise<OwnConnection>;
  /** For work that one process at a time does (see `startExclusive`); closed by the caller. */
  openSession(work: string): Promise<Session>;
  close(): Promise<void>;
}

/** One connection outside every pool. */
export interface OwnConnection {
  sql: Sql;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  /** Connections for everyday work. */
  poolSize?: number;
  /** Those of the gate; half as many unless it is said. */
  gatePoolSize?: number;
}

const INT8_OID = 20;
const POOL_SIZE = 20;
/** Postgres cuts longer names. */
const NAME_MAX = 63;

/** Opens the store; it does not migrate (see `migrate`). */
export async function openDatabase({
  url,
  poolSize = POOL_SIZE,
  gatePoolSize = Math.max(4, Math.floor(poolSize / 2)),
}: DatabaseOptions): Promise<Database> {
  const { default: pg } = await import('pg');
  const types = new pg.TypeOverrides();
  types.setTypeParser(INT8_OID, Number);
  const open = (max: number, settings: string, name: string, answerWithinMs?: number): Sql => {
    const pool = new pg.Pool({
      connectionString: url,
      types,
      max,
      application_name: `portcullis ${name}`,
      connectionTimeoutMillis: 5_000,
      // A new connection knows no plan of any statement yet: what is asked on it first takes several times as long.
      idleTimeoutMillis: 600_000,
      keepAlive: true,
      keepAliveInitialDelayMillis: 30_000,
      // A server that hangs is down too; one that works gives up by its own statement_timeout before.
      query_timeout: answerWithinMs,
      // To compile a query takes longer than any of these queries.
      options: `-c jit=off ${settings}`,
    });
    // A connection that dies is replaced by the next query; without listeners it would end the process: the pool's for
    // idle ones, its own for one that somebody holds without a query under way.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
    return new KyselyImpl<Tables>({ dialect: new NamesOnlyDialect({ pool }) });
  };
  const everyday = open(
    poolSize,
    '-c statement_timeout=15s -c idle_in_transaction_session_timeout=15s',
    'store',
    16_000,
  );
  const gate = open(
    gatePoolSize,
    '-c statement_timeout=1s -c idle_in_transaction_session_timeout=1s',
    'gate',
    5_000,
  );
  const alone = (name: string): OwnConnection => {
    const connection = open(1, '-c lock_timeout=0 -c statement_timeout=0', name);
    return { sql: connection, close: () => connection.destroy() };
  };
  return {
    sql: everyday,
    gate,
    openStop: async () => alone('stop'),
    openMigration: async () => alone('migration'),
    openSession: (work) =>
      openSession(
        { connectionString: url, types },
        `portcullis ${work} ${hostname()}:${process.pid}`.slice(0, NAME_MAX),
      ),
    async close() {
      await Promise.all([everyday.destroy(), gate.destroy()]);
    },
  };
}

/** Whether the store answers. */
export async function pingDatabase(db: Database): Promise<boolean> {
  try {
    await sql`SELECT 1`.execute(db.sql);
    return true;
  } catch {
    return false;
  }
}
