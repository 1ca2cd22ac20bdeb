import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readStatements } from './sql-files.ts';

const FOLDER = fileURLToPath(new URL('./migrations/', import.meta.url));
const CONCURRENTLY = /-concurrently\.sql$/;

/** What is done at once: in a transaction, or statement by statement without one. */
export interface MigrationStep {
  /** As the store remembers it. */
  name: string;
  concurrently: boolean;
  statements: string[];
}

/**
 * The migrations in their order. A folder is one step, in a transaction. A file `N-concurrently.sql` of it is a step of its
 * own that follows, without a transaction: for what Postgres does beside everyday work, such as CREATE INDEX CONCURRENTLY.
 * @throws Error for a folder with something after it, which would come before it all the same
 */
export function migrationSteps(folder = FOLDER): MigrationStep[] {
  return readdirSync(folder)
    .sort()
    .flatMap((name) => stepsOf(name, join(folder, name)));
}

function stepsOf(name: string, folder: string): MigrationStep[] {
  const files = readdirSync(folder).sort();
  const beside = files.filter((file) => CONCURRENTLY.test(file));
  const within = files.filter((file) => !CONCURRENTLY.test(file));
  if (within.some((file) => beside[0] !== undefined && file > beside[0]))
    throw new Error(`src/db/migrations/${name}: what follows ${beside[0]} belongs into the next migration`);
  const steps = beside.map((file) => ({
    name: `${name}/${file.replace(/\.sql$/, '')}`,
    concurrently: true,
    statements: readStatements(folder, (each) => each === file),
  }));
  if (within.length === 0) return steps;
  const statements = readStatements(folder, (file) => !beside.includes(file));
  return [{ name, concurrently: false, statements }, ...steps];
}
