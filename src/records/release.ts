import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { ReleaseTable } from '../db/tables.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';

export type ReleaseRow = Selectable<ReleaseTable>;

/** A release as it was applied. @throws AppError `not_found` */
export async function releaseRow(db: Sql, agent: string, version: string): Promise<ReleaseRow> {
  const row = await db
    .selectFrom('release')
    .selectAll()
    .where('agent', '=', agent)
    .where('version', '=', version)
    .executeTakeFirst();
  if (!row) throw new AppError('not_found', `Agent "${agent}" has no release "${version}": apply it first`);
  return row;
}

/** @throws AppError `not_found` */
export const releaseByVersion = async (db: Sql, agent: string, version: string): Promise<Release> =>
  (await releaseRow(db, agent, version)).manifest;

/** Every release in force in some segment: after a rollback or an exclusion there are several. */
export async function releasesInForce(db: Sql, agent: string): Promise<Release[]> {
  const rows = await db
    .selectFrom('release')
    .select('manifest')
    .where('agent', '=', agent)
    .where('version', 'in', db.selectFrom('in_force').select('release').where('agent', '=', agent))
    .execute();
  return rows.map((row) => row.manifest);
}
