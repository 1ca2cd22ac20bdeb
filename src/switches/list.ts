import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { SwitchTable } from '../db/tables.ts';
import { concernsAny } from '../domain/scope.ts';

/** What is switched off now, newest first; of an agent, what covers it. */
export async function listDisabled(db: Sql, agent?: string): Promise<Selectable<SwitchTable>[]> {
  const off = await db
    .selectFrom('switch')
    .selectAll()
    .where('disabled', '=', true)
    .orderBy('changed_at', 'desc')
    .execute();
  return agent === undefined ? off : off.filter(({ scope }) => concernsAny(scope, new Set([agent])));
}
