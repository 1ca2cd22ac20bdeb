import { type RawBuilder, sql } from 'kysely';
import type { Sql } from '../db/database.ts';

/** What stands where something was erased. */
export const ERASED = '[erased]';

/**
 * Takes what actions would have done out of what was told of them: what follows from a stop or a rollback and was not
 * told yet, incidents, alerts. In this order: the first becomes the others.
 */
export async function eraseMentions(tx: Sql, ids: readonly string[]): Promise<void> {
  await eraseIn(tx, ids, { table: 'revocation', column: 'facts', which: sql`done_at IS NULL AND` });
  await eraseIn(tx, ids, { table: 'incident', column: 'evidence' });
  await eraseIn(tx, ids, { table: 'alert', column: 'facts' });
}

interface Place {
  table: 'revocation' | 'incident' | 'alert';
  column: 'facts' | 'evidence';
  which?: RawBuilder<unknown>;
}

async function eraseIn(
  tx: Sql,
  ids: readonly string[],
  { table, column, which = sql`` }: Place,
): Promise<void> {
  const erased = new Set(ids);
  const [from, told] = [sql.table(table), sql.ref(column)];
  const { rows } = await sql<{ id: string | number; told: unknown }>`
    SELECT id, ${told} AS told FROM ${from} WHERE ${which} ${speaksOf(column, ids)} FOR UPDATE`.execute(tx);
  for (const row of rows)
    await sql`UPDATE ${from} SET ${told} = ${withoutSummaries(row.told, erased)}::jsonb WHERE id = ${row.id}`.execute(
      tx,
    );
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
