import { type Actor, requireRole } from '../actor.ts';
import { guardSince } from '../cases/guard.ts';
import type { Sql } from '../db/database.ts';
import { type Agent, segmentNames } from '../domain/agent.ts';
import { unaskedWrites } from '../domain/manifest/check-release.ts';
import { onlyTakesAway } from '../domain/manifest/diff.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import { releaseByVersion, releasesInForce } from '../records/release.ts';
import { afterCommit, followRevocation, revoke } from '../records/revocation.ts';
import { openRollout } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { releaseInForce } from './create.ts';

/**
 * Puts a release in force at once, in every segment: the very first one, if every write in it asks a person, or a
 * later one that only takes away. Anything else goes by a rollout.
 * @throws AppError `wrong_state`
 */
export async function adoptRelease(
  services: Services,
  actor: Actor,
  { agent, version, reason }: { agent: string; version: string; reason: string },
): Promise<{ agent: string; version: string; segments: readonly string[] }> {
  requireRole(actor, ['release-manager'], agent);
  requireReason(reason, 'adopt');
  const now = services.clock.now();
  const adopted = await closeGateFor(services, async (tx, epoch) => {
    const manifest = await manifestOf(tx, agent);
    const release = await releaseByVersion(tx, agent, version);
    const before = await releaseInForce(tx, agent);
    await assertMayApplyAtOnce(tx, manifest, before, release);
    const segments = segmentNames(manifest);
    for (const segment of segments) {
      const row = { release: version, since: now, because: reason };
      await tx
        .insertInto('in_force')
        .values({ agent, segment, ...row })
        .onConflict((conflict) => conflict.columns(['agent', 'segment']).doUpdateSet(row))
        .execute();
    }
    const revocation =
      before && (await revoke(tx, { agent, because: 'new_release', epoch, at: now, actor: actor.id }));
    await appendEntry(tx, {
      kind: 'release.adopted',
      agent,
      ref: `${agent}/${version}`,
      at: now,
      actor: actor.id,
      data: { version, before: before?.release ?? null, reason, segments: [...segments] },
    });
    return { segments, revocation };
  });
  const { segments, revocation } = adopted;
  if (revocation !== undefined)
    await afterCommit(services.log, revocation, () => followRevocation(services.db.sql, revocation, now));
  await guardSince(services, agent, { at: now, by: actor.id });
  return { agent, version, segments };
}

async function assertMayApplyAtOnce(
  tx: Sql,
  agent: Agent,
  before: Release | undefined,
  release: Release,
): Promise<void> {
  if (!before) {
    const unasked = release.grants.flatMap((grant) => unaskedWrites(grant, agent));
    if (unasked.length === 0) return;
    throw new AppError(
      'wrong_state',
      `Cannot adopt release ${release.release}: its first release must ask a person for every write, and ${unasked.join(', ')} would run unasked. Give the grant an approval group`,
      { tools: unasked },
    );
  }
  const open = await openRollout(tx, agent.agent);
  if (open)
    throw new AppError('wrong_state', `Cannot adopt release ${release.release}: rollout ${open.id} is open`);
  const more = (await releasesInForce(tx, agent.agent)).find((one) => !onlyTakesAway(one, release));
  if (more) {
    throw new AppError(
      'wrong_state',
      `Cannot adopt release ${release.release}: it gives more than release ${more.release}. Roll it out: portcullis rollout start ${agent.agent} ${release.release}`,
    );
  }
}
