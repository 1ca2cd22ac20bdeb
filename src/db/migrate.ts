import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import type { Database, Sql } from './database.ts';
import { withoutDeadlock } from './failure.ts';
import { makeLogPartition } from './log-partitions.ts';
import { refoldNames } from './name-keys.ts';
import { readStatements } from './sql-files.ts';
import { applyStoredCode } from './stored-code.ts';
import type { Tables } from './tables.ts';

const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));

/**
 * Brings the store to this version: its tables by the migrations, its functions by their files. `openKeys` makes or opens
 * its keys.
 */
export async function migrate(db: Database): Promise<void> {
  // A table of ninety days is not changed within the time that everyday statements have.
  const alone = await db.openMigration();
  try {
    await migrateOn(alone.sql);
  } finally {
    await alone.close();
  }
  await install(db.sql);
}

async function migrateOn(db: Sql): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => readMigrations() },
  });
  // Triggers are changed under locks that requests of another process may wait for.
  await withoutDeadlock(async () => {
    const { error } = await migrator.migrateToLatest();
    if (error) throw error;
    await db.transaction().execute((tx) => applyStoredCode(tx));
  });
  await refoldNames(db);
}

/**
 * Each folder is one migration; its files run in order. The last one brings the functions along, so that nobody sees new
 * tables with old functions. None of them calls a function of the folder: those are of the newest version, the tables
 * not yet. One that a migration needs it makes for itself, in pg_temp.
 */
function readMigrations(): Record<string, Migration> {
  const names = readdirSync(FOLDER).sort();
  const up = (name: string) => async (db: Kysely<unknown>) => {
    for (const statement of readStatements(`${FOLDER}${name}`)) await sql.raw(statement).execute(db);
    if (name === names.at(-1)) await applyStoredCode(db as Kysely<Tables>);
  };
  return Object.fromEntries(names.map((name) => [name, { up: up(name) }]));
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
