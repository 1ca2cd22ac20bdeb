import { sql } from 'kysely';
import type { ActionRow } from '../actions/store.ts';
import type { Sql } from '../db/database.ts';

/** The metrics in which a correction or a denial of this action counts as harm. */
export async function harmMetrics(tx: Sql, action: ActionRow, by: 'corrections' | 'denials'): Promise<string[]> {
  const { manifest } = await tx
    .selectFrom('agent')
    .select('manifest')
    .where('name', '=', action.agent)
    .executeTakeFirstOrThrow();
  return Object.entries(manifest.metrics)
    .filter(([, metric]) => metric[by] && (metric.tool ?? action.tool) === action.tool)
    .map(([name]) => name);
}

/** Amends the action's subject-day upward; false when nothing changed. */
export async function recordHarm(tx: Sql, action: ActionRow, metric: string, value: number, at: Date): Promise<boolean> {
  const { rows } = await sql<{ changed: boolean }>`
    SELECT record_harm(a, ${metric}, ${value}::double precision, ${at}) AS changed FROM action a
    WHERE a.id = ${action.id}`.execute(tx);
  return rows[0]?.changed ?? false;
}
