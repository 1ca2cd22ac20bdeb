import { sql } from 'kysely';
import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { type Agent, DEFAULT_SEGMENT } from '../domain/agent.ts';
import { digestOf } from '../domain/digest.ts';
import { LATER_SEGMENTS_MAX } from '../domain/evidence/alpha.ts';
import { definitionsDigest } from '../domain/manifest/definitions.ts';
import { planSegments, planSteps } from '../domain/rollout/steps.ts';
import { AppError } from '../errors.ts';
import { figures } from '../records/figures.ts';
import { appendEntry } from '../records/log-entry.ts';
import { releaseByVersion } from '../records/release.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { pooledBreaches } from './facts.ts';
import { GATE_CLOSED } from './moves.ts';
import { processesOf } from './processes.ts';
import { releaseOf } from './release-of.ts';
import { tellWorkflow } from './tell.ts';
import { withSegment } from './with-segment.ts';

const PER_CENT = 100;

/** Segments that a manifest gives an open rollout, and what follows from it. */
export interface Joins {
  rollout: string;
  segments: JoiningView[];
  /** How far `default` is exposed, which those who are in them leave. */
  defaultPercent: number;
  /** Steps that the plan gets more, and the day on which it ends at the earliest. */
  moreSteps: number;
  lastDay: number;
}

/** One of them, as people are told of it before and after. */
export interface JoiningView {
  segment: string;
  /** What serves it until it is exposed. */
  release: string;
  /** The step that exposes it first, and how far; none: its release plans nothing for it. */
  first?: { step: number; percent: number };
  /** What its e-value must reach to take it back; of `default` beside it, which was there before. */
  triggers: { metric: string; eValue: number; ofDefault?: number }[];
}

/** A rollout as it is with them; nothing is written. */
export interface PlannedJoins {
  before: RolloutRecord;
  after: RolloutRecord;
  joins: Joins;
}

/**
 * What an open rollout becomes when segments join it: each waits at 0 % and takes every step that the release plans for it.
 * @throws AppError `wrong_state` where what takes back would not be what was promised any more
 */
export async function planJoins(
  db: Sql,
  before: RolloutRecord,
  agent: Agent,
  added: readonly string[],
  now: Date,
): Promise<PlannedJoins> {
  await assertMayJoin(db, before, added);
  const release = await releaseByVersion(db, before.agent, before.release);
  const planned = planSteps(release.rollout, planSegments(agent));
  let after = before;
  for (const segment of added) {
    const control = (await releaseOf(db, before.agent, segment)) ?? before.release;
    after = withSegment(after, { segment, agent, release, planned, control, now });
  }
  return { before, after, joins: await viewOf(db, before, after, added) };
}

/** Writes it, in the caller's transaction, which holds the gate. @throws AppError `conflict` */
export async function joinSegments(
  tx: Sql,
  actor: Actor,
  { after, joins }: PlannedJoins,
  agent: Agent,
  now: Date,
): Promise<void> {
  const { id, plan, per_day, revision } = after;
  const digests = { ...after.digests, plan: digestOf(plan), definitions: definitionsDigest(agent) };
  const { numUpdatedRows } = await tx
    .updateTable('rollout')
    .set({
      plan: JSON.stringify(plan),
      per_day: per_day && JSON.stringify(per_day),
      digests: JSON.stringify(digests),
      revision: revision + 1,
      // Whoever approved or was asked saw another plan.
      gate_approved_by: null,
      ...GATE_CLOSED,
    })
    .where('id', '=', id)
    .where('revision', '=', revision)
    .executeTakeFirst();
  if (numUpdatedRows === 0n)
    throw new AppError('conflict', `Cannot add segments: rollout ${id} changed meanwhile`);
  for (const { segment, release, first } of joins.segments) {
    const row = { exposure: 0, generation: 1, state: 'waiting', changed_at: now, because: 'joined' } as const;
    await tx
      .insertInto('rollout_segment')
      .values({ rollout_id: id, segment, ...row })
      .execute();
    await appendEntry(tx, {
      kind: 'rollout.segment_joined',
      agent: after.agent,
      ref: id,
      at: now,
      actor: actor.id,
      data: {
        segment,
        ...(first && { step: first.step }),
        control: release,
        weights: figures(plan.shares.filter((one) => one.segment === segment)),
        perDay: figures((per_day ?? []).filter((one) => one.segment === segment)),
        steps: figures(plan.steps),
        digests,
      },
    });
  }
  await sql`SELECT queue_judgement(s.rollout_id, s.segment, ${now}) FROM rollout_segment s
    WHERE s.rollout_id = ${id} AND s.segment = ${DEFAULT_SEGMENT} AND s.state = 'exposed'`.execute(tx);
  await tellWorkflow(tx, id);
}

async function assertMayJoin(db: Sql, rollout: RolloutRecord, added: readonly string[]): Promise<void> {
  const { id, plan } = rollout;
  const refuse = (why: string): never => {
    throw new AppError(
      'wrong_state',
      `Cannot add segment ${added.map((name) => `"${name}"`).join(', ')} to rollout ${id}: ${why}`,
    );
  };
  if ((plan.joined ?? []).length + added.length > LATER_SEGMENTS_MAX)
    refuse(
      `it takes in ${LATER_SEGMENTS_MAX} at most, and their reserve of alpha is spent. ${WAIT}: then all segments share alpha evenly`,
    );
  const against = plan.guardrails.filter(
    ({ action, limit }) => action === 'rollback' && typeof limit !== 'number',
  );
  if (rollout.baseline_locked_at !== null && against.length > 0)
    refuse(
      `the limit of ${against.map(({ metric }) => metric).join(', ')} comes from the baseline, which is locked with these requests in ${DEFAULT_SEGMENT}: neither they nor what is left of ${DEFAULT_SEGMENT} has one of its own. ${WAIT}, or give the guardrail a limit of its own`,
    );
  const segments = await db
    .selectFrom('rollout_segment')
    .select(['segment', 'state', 'generation'])
    .where('rollout_id', '=', id)
    .execute();
  const { state } = segments.find(({ segment }) => segment === DEFAULT_SEGMENT) ?? {};
  if (state === 'rolled_back')
    refuse(
      `whoever is in it comes from ${DEFAULT_SEGMENT}, which was rolled back, and would be exposed again by the next step. Settle that first (rollout reenter), or wait until the rollout has ended`,
    );
  if (state === 'excluded')
    refuse(
      `whoever is in it comes from ${DEFAULT_SEGMENT}, which was excluded and keeps the old release. Wait until it has ended`,
    );
  const breached = await pooledBreaches(db, rollout, segments);
  if (breached.length > 0)
    refuse(
      `all segments together breached ${breached.join(', ')}, and the release holds on that. Settle it first: roll back what does it`,
    );
}

const WAIT = 'Wait until it has ended, or start anew with it (rollout start --supersede)';

async function viewOf(
  db: Sql,
  before: RolloutRecord,
  after: RolloutRecord,
  added: readonly string[],
): Promise<Joins> {
  const exposed = await db
    .selectFrom('rollout_segment')
    .select('exposure')
    .where('rollout_id', '=', before.id)
    .where('segment', '=', DEFAULT_SEGMENT)
    .executeTakeFirst();
  return {
    rollout: after.id,
    segments: added.map((segment) => joiningView(after, segment)),
    defaultPercent: (exposed?.exposure ?? 0) / PER_CENT,
    moreSteps: after.plan.steps.length - before.plan.steps.length,
    lastDay: after.plan.steps.at(-1)?.toDay ?? 0,
  };
}

function joiningView(rollout: RolloutRecord, segment: string): JoiningView {
  const { plan } = rollout;
  const first = plan.steps.find(({ exposure }) => (exposure[segment] ?? 0) > 0);
  const acting = plan.guardrails.filter(({ action }) => action === 'rollback');
  return {
    segment,
    release: plan.control[segment] ?? '',
    ...(first && {
      first: { step: first.index + 1, percent: (first.exposure[segment] ?? 0) / PER_CENT },
    }),
    triggers: acting.flatMap((guardrail) => {
      const eValue = triggerOf(rollout, guardrail, segment);
      const ofDefault = triggerOf(rollout, guardrail, DEFAULT_SEGMENT);
      return eValue === undefined
        ? []
        : { metric: guardrail.metric, eValue, ...(ofDefault && { ofDefault }) };
    }),
  };
}

/** `undefined`: it has no weight there, as in a segment that nothing exposes. */
function triggerOf(
  rollout: RolloutRecord,
  guardrail: RolloutRecord['plan']['guardrails'][number],
  segment: string,
): number | undefined {
  const { weight } = processesOf(rollout, guardrail, segment).rate;
  return weight > 0 ? 1 / (rollout.plan.alpha * weight) : undefined;
}
