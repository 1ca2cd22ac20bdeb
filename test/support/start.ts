import type { Actor } from '../../src/actor.ts';
import type { RolloutRecord } from '../../src/records/rollout.ts';
import { startRollout as start } from '../../src/rollouts/start.ts';
import type { StartRolloutInput } from '../../src/rollouts/start-input.ts';
import type { Services } from '../../src/services.ts';

export const NONE_YET = 'no case: this test is about something else';

/**
 * Starts a rollout of an agent without regression cases, as often as a test likes, whatever review is owed: the gate lets pass the one
 * once per agent and the other never, which `rollouts/preflight.test.ts` and `reviews/cycle.test.ts` are about.
 */
export async function startRollout(
  services: Services,
  actor: Actor,
  input: StartRolloutInput,
): Promise<RolloutRecord> {
  await forgetOwed(services, input.agent);
  return start(services, actor, { noneYet: NONE_YET, ...input });
}

/** As if nobody had said before that there is no case yet, and every review were written. */
export async function forgetOwed(services: Pick<Services, 'db' | 'clock'>, agent: string): Promise<void> {
  await services.db.sql.deleteFrom('none_yet').where('agent', '=', agent).execute();
  await settleReviews(services, agent);
}

export async function settleReviews(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  agent: string,
): Promise<void> {
  await db.sql
    .updateTable('cycle_review')
    .set({ settled_at: clock.now() })
    .where('agent', '=', agent)
    .where('settled_at', 'is', null)
    .execute();
}
