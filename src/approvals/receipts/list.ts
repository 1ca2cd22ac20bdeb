import type { Sql } from '../../db/database.ts';
import type { Receipt } from './claims.ts';

/** The receipts of an action in the order of the decisions, those of earlier rounds too. */
export async function receiptsOf(db: Sql, actionId: string): Promise<Receipt[]> {
  const rows = await db
    .selectFrom('receipt')
    .select(['jws', 'shown', 'salt'])
    .where('action_id', '=', actionId)
    .orderBy('id')
    .execute();
  return rows.map(({ jws, shown, salt }) =>
    shown === null || salt === null
      ? { jws }
      : { jws, shown: { text: shown, salt: Buffer.from(salt).toString('hex') } },
  );
}
