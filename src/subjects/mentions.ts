import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';

/** What stands where something was erased. */
export const ERASED = '[erased]';

/**
 * Takes what actions would have done out of what was told of them: what follows from a stop or a rollback and was not
 * told yet, incidents, alerts. In this order: the first becomes the others.
 */
export async function eraseMentions(tx: Sql, ids: readonly string[]): Promise<void> {
  const erased = new Set(ids);
  const revocations = await tx
    .selectFrom('revocation')
    .select(['id', 'facts as told'])
    .where('done_at', 'is', null)
    .where(speaksOf('facts', ids))
    .orderBy('id')
    .forUpdate()
    .execute();
  for (const { id, told } of revocations)
    await tx
      .updateTable('revocation')
      .set({ facts: withoutSummaries(told, erased) })
      .where('id', '=', id)
      .execute();
  const incidents = await tx
    .selectFrom('incident')
    .select(['id', 'evidence as told'])
    .where(speaksOf('evidence', ids))
    .forUpdate()
    .execute();
  for (const { id, told } of incidents)
    await tx
      .updateTable('incident')
      .set({ evidence: withoutSummaries(told, erased) })
      .where('id', '=', id)
      .execute();
  const alerts = await tx
    .selectFrom('alert')
    .select(['id', 'facts as told'])
    .where(speaksOf('facts', ids))
    .forUpdate()
    .execute();
  for (const { id, told } of alerts)
    await tx
      .updateTable('alert')
      .set({ facts: withoutSummaries(told, erased) })
      .where('id', '=', id)
      .execute();
}

/** As the indexes alert_by_action and incident_by_action have it: in no order, which another index would be read for. */
const speaksOf = (column: 'facts' | 'evidence', ids: readonly string[]) =>
  sql<boolean>`jsonb_path_query_array(${sql.ref(column)}, '$.**.action') ?| ${[...ids]}::text[]`;

const withoutSummaries = (told: unknown, ids: ReadonlySet<string>): string =>
  JSON.stringify(withoutSummary(told, ids));

function withoutSummary(value: unknown, ids: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => withoutSummary(item, ids));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, member]) => [key, withoutSummary(member, ids)]);
  const told = 'action' in value && typeof value.action === 'string' && ids.has(value.action);
  return Object.fromEntries(told ? [...entries, ['summary', ERASED]] : entries);
}
