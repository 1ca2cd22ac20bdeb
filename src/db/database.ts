import { join } from 'node:path';
import { type Kysely, Kysely as KyselyImpl, PostgresDialect, sql } from 'kysely';
import { lockFolder } from './folder-lock.ts';
import { SerialPgliteDialect } from './pglite-dialect.ts';
import type { Tables } from './tables.ts';

export type Sql = Kysely<Tables>;

/** The store. Postgres in production, PGlite (one process, one connection) when embedded: same SQL, same answers. */
export interface Database {
  readonly kind: 'postgres' | 'pglite';
  /** Everyday work. */
  readonly sql: Sql;
  /** The gate's own few connections: short statements that give up rather than hold it open. */
  readonly gate: Sql;
  /** For a stop: its own connection outside every pool, without a time limit; closed by the caller. */
  openStop(): Promise<{ sql: Sql; close(): Promise<void> }>;
  close(): Promise<void>;
}

export type DatabaseOptions =
  | { url: string; poolSize?: number }
  | { folder: string /** kept in memory only */; memory?: boolean };

const INT8_OID = 20;

/** Opens the store; it does not migrate (see `migrate`). */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  return 'url' in options ? openPostgres(options.url, options.poolSize ?? 20) : openPglite(options);
}

async function openPostgres(url: string, poolSize: number): Promise<Database> {
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
      options: settings,
    });
    // A connection that dies is replaced by the next query; without listeners it would end the process: the pool's for
    // idle ones, its own for one that somebody holds without a query under way.
    pool.on('error', () => {});
    pool.on('connect', (client) => client.on('error', () => {}));
    return new KyselyImpl<Tables>({ dialect: new PostgresDialect({ pool }) });
  };
  const everyday = open(
    poolSize,
    '-c statement_timeout=15s -c idle_in_transaction_session_timeout=15s',
    'store',
    16_000,
  );
  const gate = open(
    Math.max(4, Math.floor(poolSize / 2)),
    '-c statement_timeout=1s -c idle_in_transaction_session_timeout=1s',
    'gate',
    5_000,
  );
  return {
    kind: 'postgres',
    sql: everyday,
    gate,
    async openStop() {
      const stop = open(1, '-c lock_timeout=0 -c statement_timeout=0', 'stop');
      return { sql: stop, close: () => stop.destroy() };
    },
    async close() {
      await Promise.all([everyday.destroy(), gate.destroy()]);
    },
  };
}

async function openPglite(options: { folder: string; memory?: boolean }): Promise<Database> {
  const { PGlite } = await import('@electric-sql/pglite');
  const unlock = options.memory ? () => {} : lockFolder(options.folder);
  const pglite = await PGlite.create({
    dataDir: options.memory ? 'memory://' : join(options.folder, 'db'),
    parsers: { [INT8_OID]: Number },
  });
  const db = new KyselyImpl<Tables>({ dialect: new SerialPgliteDialect(pglite) });
  return {
    kind: 'pglite',
    sql: db,
    gate: db,
    openStop: async () => ({ sql: db, close: async () => {} }),
    async close() {
      await db.destroy();
      unlock();
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
