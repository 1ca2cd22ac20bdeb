import { raiseAlert } from '../records/alert.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import type { Services } from '../services.ts';

/** Whether an ask by this version is news to the rollout. */
export const isNewVersion = (rollout: RolloutRecord | undefined, version: string): boolean =>
  rollout !== undefined &&
  rollout.ended_at === null &&
  version !== rollout.agent_version &&
  rollout.held_for_version === null;

/**
 * The first version a rollout sees is the one it measures; a later one holds widening until a person goes on
 * (`rollout resume`). Both are events on its timeline.
 */
export async function noteAgentVersion(
  services: Services,
  rollout: RolloutRecord,
  version: string,
): Promise<void> {
  const now = services.clock.now();
  await closeGateFor(services, async (tx) => {
    const row = await tx
      .selectFrom('rollout')
      .select(['agent_version', 'held_for_version', 'revision'])
      .where('id', '=', rollout.id)
      .where('ended_at', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (!row || row.agent_version === version || row.held_for_version !== null) return;
    const first = row.agent_version === null;
    await tx
      .updateTable('rollout')
      .set({
        ...(first ? { agent_version: version } : { held_for_version: version }),
        revision: row.revision + 1,
      })
      .where('id', '=', rollout.id)
      .execute();
    await appendEntry(tx, {
      kind: 'rollout.agent_version',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: 'ask',
      data: { version, before: row.agent_version, holds: !first },
    });
    if (!first) await raiseAlert(tx, 'rollout.held', rollout.agent, now, { rollout: rollout.id, version });
    await tx.insertInto('outbox').values({ topic: 'rollout', key: rollout.id, payload: '{}' }).execute();
  });
}
