import type { Sql } from '../db/database.ts';
import type { Rates } from '../domain/rates.ts';

/** What is declared of an agent now. */
export async function ratesOf(db: Sql, agent: string): Promise<Rates | undefined> {
  const row = await db
    .selectFrom('rates')
    .select('manifest')
    .where('agent', '=', agent)
    .orderBy('revision', 'desc')
    .limit(1)
    .executeTakeFirst();
  return row?.manifest;
}
