import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Kysely, type Migration, Migrator, sql } from 'kysely';
import type { Database, Sql } from './database.ts';

const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));

/** Brings the store to this version; `openKeys` makes or opens its keys. */
export async function migrate(db: Database): Promise<void> {
  const migrator = new Migrator({
    db: db.sql,
    provider: { getMigrations: async () => readMigrations() },
  });
  const { error } = await migrator.migrateToLatest();
  if (error) throw error;
  await install(db.sql);
}

/** Each folder is one migration; its files run in order, statements separated by a line of `---`. */
function readMigrations(): Record<string, Migration> {
  const names = readdirSync(FOLDER).sort();
  return Object.fromEntries(
    names.map((name) => [name, { up: (db: Kysely<unknown>) => runFolder(db, name) }]),
  );
}

async function runFolder(db: Kysely<unknown>, name: string): Promise<void> {
  for (const file of readdirSync(`${FOLDER}${name}`).sort()) {
    const text = readFileSync(`${FOLDER}${name}/${file}`, 'utf8');
    for (const statement of text.split(/^---$/m)) await sql.raw(statement).execute(db);
  }
}

async function install(db: Sql): Promise<void> {
  await db
    .insertInto('installation')
    .values({ id: 1, epoch: 1, secret: null, signing_key: null, sealed_secret: null })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
