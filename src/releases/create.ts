import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { digestOf } from '../domain/digest.ts';
import { type Change, diffReleases, onlyTakesAway } from '../domain/manifest/diff.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../records/log-entry.ts';
import { releasesInForce } from '../records/release.ts';
import type { Services } from '../services.ts';

/** What happens to a release next: the first is adopted, one that only takes away applies at once, others roll out. */
export type ReleasePath = 'adopt' | 'apply-at-once' | 'rollout' | 'in-force';

export interface ReleasePreview {
  changes: Change[];
  path: ReleasePath;
}

export interface CreatedRelease extends ReleasePreview {
  agent: string;
  version: string;
  digest: string;
  created: boolean;
}

/** What a release would change against what is in force for `default`, and the way it would go. */
export async function previewRelease(db: Sql, release: Release): Promise<ReleasePreview> {
  const before = await releaseInForce(db, release.agent);
  const changes = diffReleases(before, release);
  if (!before) return { changes, path: 'adopt' };
  if (before.release === release.release) return { changes, path: 'in-force' };
  const inForce = await releasesInForce(db, release.agent);
  const lessEverywhere = inForce.every((one) => onlyTakesAway(one, release));
  return { changes, path: lessEverywhere ? 'apply-at-once' : 'rollout' };
}

/** The release in force for `default`, the segment every agent has. */
export async function releaseInForce(db: Sql, agent: string): Promise<Release | undefined> {
  const row = await db
    .selectFrom('in_force')
    .innerJoin('release', (join) =>
      join.onRef('release.agent', '=', 'in_force.agent').onRef('release.version', '=', 'in_force.release'),
    )
    .select('release.manifest')
    .where('in_force.agent', '=', agent)
    .where('in_force.segment', '=', 'default')
    .executeTakeFirst();
  return row?.manifest;
}

/**
 * Stores a checked release. It is immutable: the same version with other content is refused.
 * @throws AppError `forbidden`, `unknown_agent`, `conflict`
 */
export async function createRelease(
  services: Services,
  actor: Actor,
  release: Release,
): Promise<CreatedRelease> {
  requireRole(actor, ['release-manager'], release.agent);
  const digest = digestOf(release);
  const now = services.clock.now();
  const preview = await previewRelease(services.db.sql, release);
  const created = await services.db.sql.transaction().execute(async (tx) => {
    const agent = await tx
      .selectFrom('agent')
      .select('name')
      .where('name', '=', release.agent)
      .executeTakeFirst();
    if (!agent) throw new AppError('unknown_agent', `Agent "${release.agent}" is not known`);
    const inserted = await tx
      .insertInto('release')
      .values({
        agent: release.agent,
        version: release.release,
        manifest: JSON.stringify(release),
        digest,
        created_at: now,
        created_by: actor.id,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning('version')
      .executeTakeFirst();
    if (!inserted) {
      await assertSame(tx, release, digest);
      return false;
    }
    await appendEntry(tx, {
      kind: 'release.created',
      agent: release.agent,
      ref: `${release.agent}/${release.release}`,
      at: now,
      actor: actor.id,
      data: { version: release.release, digest, path: preview.path },
    });
    return true;
  });
  return { ...preview, agent: release.agent, version: release.release, digest, created };
}

async function assertSame(tx: Sql, release: Release, digest: string): Promise<void> {
  const stored = await tx
    .selectFrom('release')
    .select('digest')
    .where('agent', '=', release.agent)
    .where('version', '=', release.release)
    .executeTakeFirstOrThrow();
  if (stored.digest !== digest) {
    throw new AppError(
      'conflict',
      `Cannot change release ${release.release} of "${release.agent}": a release is immutable. Give it a new number`,
    );
  }
}
