import type { Services } from '../services.ts';

/**
 * Ends a web session at once, whoever still holds its cookie, which says nothing after `until` anyway. Those that are
 * over by then are forgotten.
 */
export async function endSession(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  { id, until }: { id: string; until: Date },
): Promise<void> {
  await db.sql.deleteFrom('ended_session').where('until', '<', clock.now()).execute();
  await db.sql
    .insertInto('ended_session')
    .values({ id, until })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Whether somebody signed out of it. */
export async function isSessionEnded({ db }: Pick<Services, 'db'>, id: string): Promise<boolean> {
  const row = await db.sql.selectFrom('ended_session').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}
