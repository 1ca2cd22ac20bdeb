import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { SwitchTable } from '../db/tables.ts';

/** What is switched off now, newest first. */
export const listDisabled = (db: Sql): Promise<Selectable<SwitchTable>[]> =>
  db.selectFrom('switch').selectAll().where('disabled', '=', true).orderBy('changed_at', 'desc').execute();
