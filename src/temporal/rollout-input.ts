import type { RolloutInput } from '../../workflows/rollout.contract.ts';
import { rolloutById } from '../records/rollout.ts';
import type { Services } from '../services.ts';

/** The workflow's input for a rollout that the API made. */
export async function rolloutInputOf(services: Services, rolloutId: string): Promise<RolloutInput> {
  const { agent, release, started_by, reason } = await rolloutById(services.db.sql, rolloutId);
  return { agent, release, actor: started_by, reason };
}
