import { isStoreDown } from '../db/failure.ts';
import type { Decision } from '../domain/decision/decide.ts';
import { BUCKET_COUNT } from '../domain/decision/exposure.ts';
import type { AgentWorld } from '../enforcement/world.ts';
import type { Services } from '../services.ts';

/**
 * Whether a subject stays in control because the agent named more new ones within an hour than the release lets it: who
 * may invent names could try them until one runs unasked. Only where its word decides between two arms.
 */
export async function isSurplus(
  { asks, clock }: Services,
  { agent, world, rollout }: AgentWorld,
  { subject, segment, rolloutId }: Pick<Decision, 'subject' | 'segment' | 'rolloutId'>,
): Promise<boolean> {
  const at = world.rollout?.segments[segment];
  if (subject?.by !== 'agent' || !rollout || rolloutId !== rollout.id || at?.state !== 'exposed')
    return false;
  if (at.exposure === 0 || at.exposure >= BUCKET_COUNT) return false;
  try {
    return !(await asks.admit(rollout, { agent: agent.agent, name: subject.name }, clock.now()));
  } catch (error) {
    // Nobody knows: then it is not one of those that may run unasked.
    if (isStoreDown(error)) return true;
    throw error;
  }
}
