import type { Sql } from '../db/database.ts';
import { CAN_ROLL_BACK, type RolloutRecord, recordOf } from '../records/rollout.ts';

/** One of a list. */
export interface ListedRollout extends RolloutRecord {
  canRollBack: boolean;
}

/** Open ones first, then the newest. */
export async function listRollouts(db: Sql, agent?: string): Promise<ListedRollout[]> {
  let query = db
    .selectFrom('rollout')
    .selectAll()
    .select(CAN_ROLL_BACK.as('canRollBack'))
    .orderBy('ended_at', (order) => order.desc().nullsFirst())
    .orderBy('started_at', 'desc')
    .limit(100);
  if (agent) query = query.where('agent', '=', agent);
  return (await query.execute()).map(({ canRollBack, ...row }) => ({ ...recordOf(row), canRollBack }));
}
