import type { KnownBuild } from '../db/tables-rollout.ts';
import { raiseAlert } from '../records/alert.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import type { Evidence } from './evidence-choice.ts';
import { tellWorkflow } from './tell.ts';

/** Whether an ask by this version is news to the rollout. */
export const isNewVersion = (rollout: RolloutRecord | undefined, version: string): boolean =>
  rollout !== undefined &&
  rollout.ended_at === null &&
  rollout.held_for_version === null &&
  !rollout.builds.some((build) => build.version === version);

/**
 * The builds a rollout knows once a person let this one go on; where the sample begins anew, `fromDay` is the first whole day
 * of it.
 */
export const withBuild = (
  known: readonly KnownBuild[],
  version: string,
  evidence: Evidence,
  fromDay?: number,
): KnownBuild[] => [
  ...known.map((build) => ({ ...build, counts: build.counts && evidence === 'go-on' })),
  { version, counts: true, ...(evidence === 'anew' && fromDay !== undefined && { fromDay }) },
];

/**
 * The first version a rollout sees is the one it measures; a later one holds widening until a person goes on
 * (`rollout resume`), and then is known. Both are events on its timeline. What was denied, and what people ask by hand
 * through the CLI, is no build at work.
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
      .select(['agent_version', 'held_for_version', 'builds', 'revision'])
      .where('id', '=', rollout.id)
      .where('ended_at', 'is', null)
      .forUpdate()
      .executeTakeFirst();
    if (!row || row.held_for_version !== null || row.builds.some((build) => build.version === version))
      return false;
    const first = row.agent_version === null;
    await tx
      .updateTable('rollout')
      .set({
        ...(first
          ? { agent_version: version, builds: JSON.stringify(withBuild(row.builds, version, 'anew')) }
          : { held_for_version: version, held_for_version_at: now }),
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
    await tellWorkflow(tx, rollout.id);
    return true;
  });
}
