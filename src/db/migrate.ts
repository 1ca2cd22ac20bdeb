import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import { AppError } from '../errors.ts';
import { runConcurrently } from './concurrently.ts';
import type { Database, Sql } from './database.ts';
import { isLockTaken } from './failure.ts';
import { makeLogPartition } from './log-partitions.ts';
import { type MigrationStep, migrationSteps } from './migration-steps.ts';
import { refoldNames } from './name-keys.ts';
import { recountOnce } from './recount.ts';
import { readStoreState, refuseNewer } from './store-state.ts';
import { applyStoredCode } from './stored-code.ts';
import type { Tables } from './tables.ts';

/** One process at a time migrates. */
export const MIGRATION_LOCK = 727_020;
/** Everyday statements queue behind a lock that is waited for: for no longer than this, and they have as long in between. */
const LOCK_TIMEOUT_MS = 500;
const PAUSE_MS = 1_000;
const TOLD_EVERY = 10;
const PATIENCE_MS = 10 * 60_000;
const TURN_POLL_MS = 200;

export interface MigrateOptions {
  steps?: readonly MigrationStep[];
  /** How long each step tries for locks that others hold, and another migration is waited for. */
  patienceMs?: number;
  /** Told each step, and what it waits for. */
  say?: (line: string) => void;
}

interface Run {
  /** A connection of its own: a table of ninety days is not changed within the time that everyday statements have. */
  alone: Sql;
  everyday: Sql;
  patienceMs: number;
  say: (line: string) => void;
}

/**
 * Brings the store to this version: its tables step by step, its functions with the last step that is one transaction, so that
 * nobody sees new tables with old functions for longer than a migration takes. One that ended in between goes on where it was.
 * `openKeys` makes or opens its keys. Returns the steps that were to do.
 * @throws AppError `setup_failed` when the store is newer, and when what others hold was not to be had in time
 */
export async function migrate(
  db: Database,
  { steps = migrationSteps(), patienceMs = PATIENCE_MS, say = () => {} }: MigrateOptions = {},
): Promise<MigrationStep[]> {
  const own = await db.openMigration();
  const run = { alone: own.sql, everyday: db.sql, patienceMs, say };
  try {
    await takeTurn(run);
    const state = await readStoreState(run.alone, steps);
    refuseNewer(state, 'Cannot migrate');
    const lastWithin = state.pending.findLast(({ concurrently }) => !concurrently);
    for (const step of state.pending) await runStep(run, steps, step, step === lastWithin);
    await patiently(run, 'functions', async () => {
      await limitWaits(run.alone, LOCK_TIMEOUT_MS);
      await run.alone.transaction().execute((tx) => applyStoredCode(tx));
    });
    await limitWaits(run.alone, 0);
    await install(run.alone);
    await refoldNames(run.alone);
    await recountOnce(run.alone);
    return state.pending;
  } finally {
    await own.close();
  }
}

/** Whoever waits for a lock by a statement holds a snapshot, and CREATE INDEX CONCURRENTLY would wait for that: so it is asked for. */
async function takeTurn({ alone, patienceMs, say }: Run): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  for (let tries = 0; ; tries++) {
    const { rows } = await sql<{
      got: boolean;
    }>`SELECT pg_try_advisory_lock(${MIGRATION_LOCK}) AS got`.execute(alone);
    if (rows[0]?.got) return;
    if (tries === 0) say('Another process migrates this store: waiting for it.');
    if (performance.now() > untilMs)
      throw new AppError(
        'setup_failed',
        'Cannot migrate: another process has been at it all the time. Look at that one',
      );
    await sleep(TURN_POLL_MS);
  }
}

async function runStep(
  run: Run,
  steps: readonly MigrationStep[],
  step: MigrationStep,
  withCode: boolean,
): Promise<void> {
  run.say(`${step.name}${step.concurrently ? ', beside everyday work' : ''}`);
  const migrator = new Migrator({
    db: run.alone,
    provider: { getMigrations: async () => migrationsOf(steps, withCode) },
    disableTransactions: step.concurrently,
    nameComparator: (one, other) => (one < other ? -1 : 1),
  });
  await patiently(run, step.name, async () => {
    // What goes on beside everyday work waits for transactions to end, and keeps nobody waiting.
    await limitWaits(run.alone, step.concurrently ? 0 : LOCK_TIMEOUT_MS);
    const { error } = await migrator.migrateUp();
    if (error) throw error;
  });
}

/**
 * No step calls a function of `functions`: those are of the newest version, the tables not yet. One that it needs it makes
 * for itself, in pg_temp.
 */
function migrationsOf(steps: readonly MigrationStep[], withCode: boolean): Record<string, Migration> {
  const up =
    ({ concurrently, statements }: MigrationStep) =>
    async (db: Kysely<unknown>) => {
      if (concurrently) return runConcurrently(db as Kysely<Tables>, statements);
      for (const statement of statements) await sql.raw(statement).execute(db);
      if (withCode) await applyStoredCode(db as Kysely<Tables>);
    };
  return Object.fromEntries(steps.map((step) => [step.name, { up: up(step) }]));
}

const limitWaits = (db: Sql, ms: number): Promise<unknown> => sql.raw(`SET lock_timeout = ${ms}`).execute(db);

/** Again and again while others hold what it needs: a try that waits too long has no effect. */
async function patiently(
  { everyday, patienceMs, say }: Run,
  what: string,
  work: () => Promise<void>,
): Promise<void> {
  const untilMs = performance.now() + patienceMs;
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isLockTaken(error)) throw failed(what, error);
      const holders = await longTransactions(everyday);
      if (performance.now() > untilMs)
        throw new AppError(
          'setup_failed',
          `Cannot migrate: ${what} needs a lock that others hold (${holders}). Nothing of it is done. Let them end, or end them, and run portcullis migrate again: it goes on there`,
          {},
          { cause: error },
        );
      if (tries % TOLD_EVERY === 0) say(`${what} waits for a lock that others hold: ${holders}`);
      await sleep(PAUSE_MS);
    }
  }
}

function failed(what: string, error: unknown): AppError {
  const words = error instanceof Error ? error.message : String(error);
  const message = `Cannot migrate: ${what}: ${words}. Once it is mended, run it again: it goes on there`;
  return new AppError('setup_failed', message, {}, { cause: error });
}

/** The transactions that have been open longest: who holds a lock for long is among them. */
async function longTransactions(db: Sql): Promise<string> {
  const { rows } = await sql<{ pid: number; name: string; seconds: number }>`
    SELECT pid, application_name AS name, extract(epoch FROM clock_timestamp() - xact_start)::int AS seconds
    FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
      AND pid <> pg_backend_pid() AND xact_start IS NOT NULL ORDER BY xact_start LIMIT 3`.execute(db);
  const words = rows.map(
    ({ pid, name, seconds }) => `${name || 'unnamed'}, backend ${pid}, open for ${seconds} s`,
  );
  return words.join('; ') || 'a short one';
}

async function install(db: Sql): Promise<void> {
  await db
    .insertInto('installation')
    .values({
      id: 1,
      epoch: 1,
      secret: null,
      signing_key: null,
      sealed_secret: null,
      day_ms: null,
      public_url: null,
      issuer: null,
    })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await makeLogPartition(db);
}
