import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { type Database, openDatabase } from '../../src/db/database.ts';
import { testPostgres } from './context.ts';
import { createDatabase, dropDatabase } from './postgres.ts';

/** What earlier versions made of an empty store, kept as it was: tables, functions and triggers. */
const MADE = ['0001-init', '0002-approvals'] as const;

/** An empty database on the Postgres of this run; closing it drops it. */
export async function openEmptyStore(): Promise<{ db: Database; url: string; close(): Promise<void> }> {
  const url = await createDatabase(testPostgres());
  const db = await openDatabase({ url, poolSize: 2 });
  return {
    db,
    url,
    async close() {
      await db.close();
      await dropDatabase(testPostgres(), url);
    },
  };
}

/** A store as the version left it whose last migration was `last`; 0001-init is 0.1.0. */
export async function openOldStore(last: (typeof MADE)[number]) {
  const store = await openEmptyStore();
  const names = MADE.slice(0, MADE.indexOf(last) + 1);
  const run = (statement: string) => sql.raw(statement).execute(store.db.sql);
  for (const name of names) {
    const text = readFileSync(new URL(`../stores/${name}.sql`, import.meta.url), 'utf8');
    for (const statement of text.split(/^---$/m)) await run(statement);
  }
  await run('CREATE TABLE kysely_migration (name varchar(255) PRIMARY KEY, timestamp varchar(255) NOT NULL)');
  await run(
    'CREATE TABLE kysely_migration_lock (id varchar(255) PRIMARY KEY, is_locked int NOT NULL DEFAULT 0)',
  );
  for (const name of names) await run(`INSERT INTO kysely_migration VALUES ('${name}', '2026-01-01')`);
  await run("INSERT INTO kysely_migration_lock VALUES ('migration_lock', 0)");
  return store;
}
