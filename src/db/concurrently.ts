import { sql } from 'kysely';
import type { Sql } from './database.ts';

const INDEX = /^CREATE (?:UNIQUE )?INDEX CONCURRENTLY (\w+)\s+ON /m;
const REPEATABLE = /^(DROP INDEX CONCURRENTLY IF EXISTS \w+|ALTER TABLE \w+ VALIDATE CONSTRAINT \w+);?$/;

/**
 * Runs statements that stand outside a transaction, each as if for the first time: what an earlier try finished is left as it
 * is, and an index that was left half made is dropped and made again.
 * @throws Error for a statement that could not be repeated
 */
export async function runConcurrently(db: Sql, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    if (REPEATABLE.test(withoutComments(statement))) await sql.raw(statement).execute(db);
    else await makeIndex(db, statement);
  }
}

async function makeIndex(db: Sql, statement: string): Promise<void> {
  const name = INDEX.exec(withoutComments(statement))?.[1];
  if (name === undefined)
    throw new Error(
      `Cannot be repeated after a crash: ${statement}. Outside a transaction stand CREATE INDEX CONCURRENTLY, DROP INDEX CONCURRENTLY IF EXISTS and ALTER TABLE ... VALIDATE CONSTRAINT`,
    );
  const { rows } = await sql<{ valid: boolean }>`
    SELECT indisvalid AS valid FROM pg_index WHERE indexrelid = to_regclass(${name})`.execute(db);
  if (rows[0]?.valid) return;
  if (rows[0]) await sql.raw(`DROP INDEX CONCURRENTLY ${name}`).execute(db);
  await sql.raw(statement).execute(db);
}

const withoutComments = (statement: string): string => statement.replace(/^--.*\n/gm, '').trim();
