import { serviceActor } from '../actor.ts';
import { sweepStandingApprovals } from '../approvals/standing/end.ts';
import type { ActionRow } from '../records/action.ts';
import { raiseAlert } from '../records/alert.ts';
import { moveAction } from '../records/move.ts';
import type { Services } from '../services.ts';

const BATCH = 200;

/**
 * Ends what is overdue by the rows' own deadlines, whatever Temporal says: pending and approved actions and standing
 * approvals expire, silent executions become `unknown`, which people are told. Returns how many it ended.
 */
export async function sweepActions(services: Services): Promise<number> {
  const now = services.clock.now();
  const expired = await services.db.sql
    .selectFrom('open_action as open')
    .innerJoin('action', 'action.id', 'open.id')
    .selectAll('action')
    .where('open.state', 'in', ['pending', 'approved'])
    .where('open.expires_at', '<', now)
    .limit(BATCH)
    .execute();
  const silent = await services.db.sql
    .selectFrom('open_action as open')
    .innerJoin('action', 'action.id', 'open.id')
    .selectAll('action')
    .where('open.state', '=', 'executing')
    .where('open.deadline_at', '<', now)
    .limit(BATCH)
    .execute();
  for (const action of expired) await end(services, action, 'expired', now);
  for (const action of silent) await end(services, action, 'unknown', now);
  const standing = await sweepStandingApprovals(services);
  const ended = expired.length + silent.length + standing;
  if (ended > 0) services.wake();
  return ended;
}

async function end(
  services: Services,
  action: ActionRow,
  to: 'expired' | 'unknown',
  now: Date,
): Promise<void> {
  const actor = serviceActor('sweeper');
  await services.db.sql.transaction().execute(async (tx) => {
    const moved = await moveAction(tx, action, to, `action.${to}`, now, actor.id);
    if (moved && to === 'unknown') {
      await raiseAlert(tx, 'action.unknown', action.agent, now, {
        action: action.id,
        summary: action.summary,
      });
    }
  });
}
