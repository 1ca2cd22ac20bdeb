import type { Services } from '../services.ts';

/** Those of the tokens that are neither revoked nor expired: one question for any number of them. */
export async function liveTokens(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  ids: readonly string[],
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db.sql
    .selectFrom('token')
    .select('id')
    .where('id', 'in', ids)
    .where('revoked_at', 'is', null)
    .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', clock.now())]))
    .execute();
  return new Set(rows.map(({ id }) => id));
}
