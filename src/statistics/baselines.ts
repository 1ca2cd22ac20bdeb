import { type Actor, requireRole } from '../actor.ts';
import type { LockedBaseline } from '../domain/evidence/baseline.ts';
import type { Services } from '../services.ts';
import { PAST_ROLLOUTS_MAX } from './past-counts.ts';

/** What the newest locked baseline that has anything of a metric in a segment measured. */
export interface RecordedBaseline extends Omit<LockedBaseline, 'own' | 'pooled'> {
  rollout: string;
}

/**
 * What the releases in force did, as the newest rollouts of an agent locked it: of each segment and metric the last.
 * @throws AppError `forbidden`
 */
export async function recordedBaselines(
  { db }: Pick<Services, 'db'>,
  actor: Actor,
  agent: string,
): Promise<RecordedBaseline[]> {
  requireRole(actor, ['release-manager', 'auditor'], agent);
  const rollouts = await db.sql
    .selectFrom('rollout')
    .select(['id', 'baseline'])
    .where('agent', '=', agent)
    .where('baseline_locked_at', 'is not', null)
    .orderBy('started_at', 'desc')
    .limit(PAST_ROLLOUTS_MAX)
    .execute();
  const found = new Map<string, RecordedBaseline>();
  for (const { id, baseline } of rollouts)
    for (const { own: _, pooled: __, ...measured } of baseline ?? []) {
      const key = JSON.stringify([measured.segment, measured.metric]);
      if (measured.events > 0 && !found.has(key)) found.set(key, { rollout: id, ...measured });
    }
  return [...found.values()];
}
