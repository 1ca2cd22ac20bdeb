import { sql } from 'kysely';
import { AppError } from '../errors.ts';
import type { Sql } from './database.ts';
import { type MigrationStep, migrationSteps } from './migration-steps.ts';
import { type CodeChanges, pendingCode } from './stored-code.ts';

/** How the store stands to this version: to do is `pending`, then `code`. */
export interface StoreState {
  applied: { name: string; at: string }[];
  pending: MigrationStep[];
  /** Done by a newer version, and not known here. */
  unknown: string[];
  /** Functions and triggers that are not those of this version. */
  code: CodeChanges;
}

/** Reads it; a database without any Portcullis has everything to do. */
export async function readStoreState(
  db: Sql,
  steps: readonly MigrationStep[] = migrationSteps(),
): Promise<StoreState> {
  const applied = await appliedSteps(db);
  const there = new Set(applied.map(({ name }) => name));
  return {
    applied,
    pending: steps.filter(({ name }) => !there.has(name)),
    unknown: applied.map(({ name }) => name).filter((name) => !steps.some((step) => step.name === name)),
    code: await pendingCode(db),
  };
}

export const isCurrent = ({ pending, unknown, code }: StoreState): boolean =>
  pending.length === 0 && unknown.length === 0 && !hasCodeChanges(code);

export const hasCodeChanges = ({ drop, create, replace }: CodeChanges): boolean =>
  drop.length + create.length + replace.length > 0;

/** @throws AppError `setup_failed` naming what to run, unless the store is of this version */
export async function requireCurrentStore(db: Sql, address: string): Promise<void> {
  const state = await readStoreState(db);
  refuseNewer(state, `Cannot start on ${address}`);
  if (isCurrent(state)) return;
  throw new AppError('setup_failed', `Cannot start: ${whyNot(state, address)}`);
}

function whyNot({ applied, pending }: StoreState, address: string): string {
  const run = 'portcullis migrate, with the same DATABASE_URL, then start again';
  if (applied.length === 0) return `the database ${address} holds no Portcullis yet. Run ${run}`;
  if (pending.length > 0)
    return `the store ${address} is older than this version: it lacks ${namesOf(pending)}. Run ${run}; processes that run on it meanwhile go on`;
  return `the store ${address} holds the functions of another version. Run ${run}: of the version that is to run`;
}

/** @throws AppError `setup_failed`: what a newer version made is not changed back */
export function refuseNewer({ unknown }: StoreState, cannot: string): void {
  if (unknown.length === 0) return;
  throw new AppError(
    'setup_failed',
    `${cannot}: the store is newer than this version, it holds ${unknown.join(', ')}. Run the version that migrated it, or a later one`,
  );
}

const namesOf = (steps: readonly MigrationStep[]): string => steps.map(({ name }) => name).join(', ');

async function appliedSteps(db: Sql): Promise<StoreState['applied']> {
  const { rows: tables } = await sql<{ there: boolean }>`
    SELECT to_regclass('kysely_migration') IS NOT NULL AS there`.execute(db);
  if (!tables[0]?.there) return [];
  const { rows } = await sql<{ name: string; at: string }>`
    SELECT name, timestamp AS at FROM kysely_migration ORDER BY name COLLATE "C"`.execute(db);
  return rows;
}
