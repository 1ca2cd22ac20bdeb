import { type Actor, requireRole } from '../actor.ts';
import { markStale } from '../cases/stale.ts';
import type { Sql } from '../db/database.ts';
import { type Agent, groupOf, isLive, segmentNames } from '../domain/agent.ts';
import { digestOf } from '../domain/digest.ts';
import { eligibleApprovers } from '../domain/manifest/check-people.ts';
import { definitionsDigest } from '../domain/manifest/definitions.ts';
import { type Change, diffAgents } from '../domain/manifest/diff.ts';
import { segmentEdits } from '../domain/manifest/segment-edits.ts';
import { personKeys } from '../domain/naming.ts';
import { AppError } from '../errors.ts';
import { forgetMovedGroups } from '../groups/store.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import { isWatchOver, openRollout, watchedRollout } from '../records/rollout.ts';
import { type Joins, joinSegments, type PlannedJoins, planJoins } from '../rollouts/join-segments.ts';
import type { Services } from '../services.ts';
import { Turns } from '../turns.ts';

export interface Applied {
  agent: string;
  revision: number;
  digest: string;
  changes: Change[];
  /** Segments that joined the rollout that is open. */
  joins?: Joins;
}

/** What applying would change; nothing is written. @throws AppError `wrong_state` as applying would */
export async function previewAgent(
  db: Sql,
  agent: Agent,
  now: Date,
): Promise<Pick<Applied, 'changes' | 'joins'>> {
  const definitions = definitionsDigest(agent);
  const before = await db
    .selectFrom('agent')
    .select(['manifest', 'definitions_digest'])
    .where('name', '=', agent.agent)
    .executeTakeFirst();
  const joining =
    before && before.definitions_digest !== definitions
      ? await redefine(db, before.manifest, agent, now)
      : undefined;
  return { changes: diffAgents(before?.manifest, agent), ...(joining && { joins: joining.joins }) };
}

/**
 * Puts a checked manifest in force. People and approvers take effect at once; tools, segments and metrics are frozen
 * while a rollout is open, and segments that come after all others join it.
 * @throws AppError `forbidden`, `wrong_state`
 */
export async function applyAgent(services: Services, actor: Actor, agent: Agent): Promise<Applied> {
  requireRole(actor, ['release-manager'], agent.agent);
  const now = services.clock.now();
  const turns = new Turns();
  const digest = digestOf(agent);
  await turns.next();
  const definitions = definitionsDigest(agent);
  await turns.next();
  return closeGateFor(services, async (tx) => {
    const before = await tx
      .selectFrom('agent')
      .selectAll()
      .where('name', '=', agent.agent)
      .executeTakeFirst();
    const changes = diffAgents(before?.manifest, agent);
    if (before?.digest === digest)
      return { agent: agent.agent, revision: before.revision, digest, changes: [] };
    const joining =
      before && before.definitions_digest !== definitions
        ? await redefine(tx, before.manifest, agent, now)
        : undefined;
    const revision = (before?.revision ?? 0) + 1;
    const row = {
      manifest: JSON.stringify(agent),
      digest,
      definitions_digest: definitions,
      revision,
      applied_at: now,
      applied_by: actor.id,
      person_keys: JSON.stringify(personKeys(agent)),
    };
    await tx
      .insertInto('agent')
      .values({ name: agent.agent, ...row })
      .onConflict((conflict) => conflict.column('name').doUpdateSet(row))
      .execute();
    await replaceApprovers(tx, agent);
    await markStale(tx, agent, now);
    await forgetMovedGroups(tx, agent, now);
    await coverNewSegments(tx, agent, now);
    await appendEntry(tx, {
      kind: 'agent.applied',
      agent: agent.agent,
      ref: agent.agent,
      at: now,
      actor: actor.id,
      data: {
        revision,
        digest,
        definitions,
        testMode: agent.testMode,
        changes: changes.map(({ sign, what }) => sign + what),
      },
    });
    if (joining) await joinSegments(tx, actor, joining, agent, now);
    return { agent: agent.agent, revision, digest, changes, ...(joining && { joins: joining.joins }) };
  });
}

/**
 * What a rollout froze stays as it is while it is open, and what it watches afterwards as long as it does. What may be new
 * are segments that join it.
 */
async function redefine(tx: Sql, before: Agent, after: Agent, now: Date): Promise<PlannedJoins | undefined> {
  const { agent } = after;
  const open = await openRollout(tx, agent);
  if (open) {
    const { added, problems } = segmentEdits(before, after);
    if (definitionsDigest({ ...after, segments: before.segments }) !== definitionsDigest(before))
      throw new AppError(
        'wrong_state',
        `Cannot change tools, metrics, attributes or lists: rollout ${open.id} froze them. End it first (portcullis rollout rollback), or change people and add segments only`,
      );
    if (problems.length > 0)
      throw new AppError(
        'wrong_state',
        `Cannot change the segments of rollout ${open.id}, whose evidence is of those it has: ${problems.join('; ')}. New ones come after all others; or end it first (portcullis rollout rollback)`,
      );
    return added.length > 0 ? planJoins(tx, open, after, added, now) : undefined;
  }
  await assertStillWatched(tx, before, after, now);
  return undefined;
}

async function assertStillWatched(tx: Sql, before: Agent, after: Agent, now: Date): Promise<void> {
  const { agent } = after;
  const watched = await watchedRollout(tx, agent);
  const changed = watched?.plan.guardrails.find(
    ({ metric }) => digestOf(before.metrics[metric] ?? null) !== digestOf(after.metrics[metric] ?? null),
  );
  if (watched && changed && !isWatchOver(watched, now))
    throw new AppError(
      'wrong_state',
      `Cannot change metric "${changed.metric}": rollout ${watched.id} completed, and its release is watched by it ${watched.watch_until ? `until ${watched.watch_until.toISOString()}` : 'as long as it is in force'}. Give the new definition a name of its own, and a later release a guardrail on that`,
    );
}

async function replaceApprovers(tx: Sql, agent: Agent): Promise<void> {
  await tx
    .deleteFrom('agent_approver')
    .where('agent', '=', agent.agent)
    .where((where) =>
      where.or([where('via', '=', 'manifest'), where('grp', 'not in', [...liveGroups(agent), ''])]),
    )
    .execute();
  await tx
    .deleteFrom('group_source')
    .where('agent', '=', agent.agent)
    .where('grp', 'not in', [...liveGroups(agent), ''])
    .execute();
  const rows = Object.keys(agent.approvers).flatMap((grp) =>
    eligibleApprovers(agent, grp).map((person) => ({ agent: agent.agent, grp, person, via: 'manifest' })),
  );
  if (rows.length > 0) await tx.insertInto('agent_approver').values(rows).execute();
}

/** Groups whose members come from Slack or a schedule: those are written by their sources. */
const liveGroups = (agent: Agent): string[] =>
  Object.keys(agent.approvers).filter((name) => {
    const group = groupOf(agent, name);
    return group !== undefined && isLive(group);
  });

/** A new segment starts with what `default` has in force. */
async function coverNewSegments(tx: Sql, agent: Agent, now: Date): Promise<void> {
  const rows = await tx.selectFrom('in_force').selectAll().where('agent', '=', agent.agent).execute();
  const fallback = rows.find((row) => row.segment === 'default');
  if (!fallback) return;
  const missing = segmentNames(agent).filter((segment) => !rows.some((row) => row.segment === segment));
  for (const segment of missing) {
    await tx
      .insertInto('in_force')
      .values({ agent: agent.agent, segment, release: fallback.release, since: now, because: 'new segment' })
      .execute();
  }
}
