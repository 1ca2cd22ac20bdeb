import { sql } from 'kysely';
import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { openCycleReview } from '../records/cycle-review.ts';
import { revoke } from '../records/revocation.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { logVerb } from './verb.ts';

/**
 * Ends an open rollout because another takes its place: its release is exposed to nobody any more, its evidence stays. In
 * the caller's transaction, which holds the gate. Returns what has to be followed after the commit.
 */
export async function supersede(
  tx: Sql,
  actor: Actor,
  rollout: RolloutRecord,
  {
    by,
    release,
    reason,
    epoch,
    at,
  }: { by: string; release: string; reason: string; epoch: number; at: Date },
): Promise<number[]> {
  // First, because it ends standing approvals: they are locked before the actions they were given with.
  await tx
    .updateTable('rollout')
    .set({ status: 'superseded', ended_at: at, ticking_since: null, revision: rollout.revision + 1 })
    .where('id', '=', rollout.id)
    .execute();
  const exposed = await tx
    .updateTable('rollout_segment')
    .set({
      exposure: 0,
      state: 'waiting',
      changed_at: at,
      because: `superseded by ${by}`,
      generation: sql`generation + 1`,
    })
    .where('rollout_id', '=', rollout.id)
    .where('state', '=', 'exposed')
    .returning('segment')
    .execute();
  const segments = exposed.map(({ segment }) => segment).sort();
  const revocations: number[] = [];
  for (const segment of segments) {
    const { agent, id } = rollout;
    const candidate = { agent, rollout: id, segment, arm: 'candidate', because: 'new_release' } as const;
    revocations.push(await revoke(tx, { ...candidate, epoch, at, actor: actor.id }));
  }
  await openCycleReview(tx, rollout, {
    ending: 'superseded',
    because: `release ${release} takes its place: ${reason}`,
    at,
    by: actor.id,
  });
  await logVerb(tx, actor, rollout, 'superseded', at, {
    by,
    release,
    reason,
    segments,
    salt: rollout.salt,
  });
  return revocations;
}
