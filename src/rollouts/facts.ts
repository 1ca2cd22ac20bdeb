import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { durationMs } from '../domain/duration.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { armsText } from '../domain/evidence/arms.ts';
import { wholeFrom } from '../domain/rollout/join.ts';
import type { RolloutFacts, VerdictFacts } from '../domain/rollout/phase.ts';
import { GATE_REMIND_AFTER } from '../domain/rollout-plan.ts';
import { scopesOver } from '../domain/scope.ts';
import { overdueBlocks, overdueText } from '../follow-ups/blocks.ts';
import { runningFreeze } from '../records/freezes.ts';
import { manifestOf } from '../records/manifest.ts';
import { type RolloutRecord, rolloutById, stepOf } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { armsOf } from './arms.ts';
import { uncompared } from './compared.ts';
import { paceOf } from './pace.ts';

/** The rollout as its next move is decided from: read afresh every time. */
export async function rolloutFacts(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  id: string,
): Promise<RolloutFacts> {
  const rollout = await rolloutById(db.sql, id);
  const segments = await db.sql
    .selectFrom('rollout_segment')
    .select(['segment', 'exposure', 'generation', 'state', 'asks'])
    .where('rollout_id', '=', id)
    .orderBy('segment')
    .execute();
  const arms = await armsOf(db.sql, id);
  return {
    status: rollout.status,
    steps: rollout.plan.steps,
    stepIndex: rollout.step_index,
    elapsedMs: elapsedMs(rollout, clock.now()),
    dayMs: rollout.plan.dayMs,
    disabled: await isDisabled(db.sql, rollout.agent),
    ...(await frozenBy(db.sql, rollout.agent, clock.now())),
    overdue: (await overdueBlocks(db.sql, rollout.agent, clock.now())).map(overdueText),
    baselineLocked: rollout.baseline_locked_at !== null,
    heldForVersion: rollout.held_for_version,
    ...stopped(rollout, clock.now()),
    gateApprovedBy: rollout.gate_approved_by,
    ...gateTold(rollout, clock.now()),
    segments,
    verdicts: await currentVerdicts(db.sql, rollout, clock.now()),
    guardrails: rollout.plan.guardrails
      .filter(({ action }) => action === 'rollback')
      .map(({ metric }) => metric),
    inconclusive: Object.fromEntries(
      rollout.plan.guardrails.flatMap(({ metric, on }) =>
        on && on.inconclusive !== 'as-gate' ? [[metric, on.inconclusive] as const] : [],
      ),
    ),
    pooledBreaches: await pooledBreaches(db.sql, rollout, segments),
    mismatched: arms.flatMap((one) =>
      one.mismatchedAt === null ? [] : [{ segment: one.segment, seen: armsText(one) }],
    ),
    uncompared: await uncompared(db.sql, rollout, arms, clock.now()),
    revision: rollout.revision,
  };
}

/** What is known of who stopped it: of one that an earlier version did, nothing. */
function stopped(
  { status, paused_at, paused_by, paused_because, held_for_version, held_for_version_at }: RolloutRecord,
  now: Date,
): Pick<RolloutFacts, 'paused' | 'heldForVersionMs'> {
  const since = (at: Date) => now.getTime() - at.getTime();
  return {
    ...(status === 'paused' &&
      paused_at &&
      paused_by !== null && {
        paused: { by: paused_by, because: paused_because ?? '', agoMs: since(paused_at) },
      }),
    ...(held_for_version !== null && held_for_version_at && { heldForVersionMs: since(held_for_version_at) }),
  };
}

/** Of one that takes back nothing waits on: until segments are taken back, which begins another process. */
export async function pooledBreaches(
  db: Sql,
  { id, plan }: RolloutRecord,
  segments: readonly { generation: number }[],
): Promise<string[]> {
  const holding = plan.guardrails.filter(({ action, on }) => action === 'rollback' && on?.breach === 'hold');
  if (holding.length === 0) return [];
  const rows = await db
    .selectFrom('verdict')
    .select('metric')
    .where('rollout_id', '=', id)
    .where('segment', '=', POOLED_SEGMENT)
    .where(
      'generation',
      '=',
      segments.reduce((sum, { generation }) => sum + generation, 0),
    )
    .where('verdict', '=', 'breach')
    .where(
      'metric',
      'in',
      holding.map(({ metric }) => metric),
    )
    .orderBy('metric')
    .execute();
  return rows.map(({ metric }) => metric);
}

/** The owners are told of a gate, and then reminded; on-call is told when nobody answers, and at last it holds. */
function gateTold(
  rollout: RolloutRecord,
  now: Date,
): Pick<RolloutFacts, 'gateTold' | 'gateAsked' | 'gateRemindMs' | 'gateEscalateMs' | 'gateExpireMs'> {
  const { gate_told_at: told, gate_escalated_at: escalated, plan } = rollout;
  if (told === null) return { gateTold: false };
  const { remindAfter = GATE_REMIND_AFTER, escalateAfter, expireAfter } = stepOf(rollout).gate;
  const asked = rollout.gate_asked_at ?? told;
  const left = (from: Date, after: string) =>
    Math.max(0, from.getTime() + durationMs(after, plan.dayMs) - now.getTime());
  const remindMs = left(told, remindAfter);
  return {
    gateTold: remindMs > 0,
    gateAsked: rollout.gate_approved_by === null,
    gateRemindMs: remindMs,
    // One that began before gates expired goes on as it was begun.
    ...(escalateAfter && escalated === null && { gateEscalateMs: left(asked, escalateAfter) }),
    ...(expireAfter && { gateExpireMs: left(asked, expireAfter) }),
  };
}

/** Looked at again when it ends; one that nobody knows the end of, when its calendar is read. */
async function frozenBy(db: Sql, agent: string, now: Date): Promise<Pick<RolloutFacts, 'freeze'>> {
  const freeze = await runningFreeze(db, await manifestOf(db, agent), now);
  if (freeze === undefined) return {};
  const leftMs = freeze.to === undefined ? {} : { leftMs: Date.parse(freeze.to) - now.getTime() };
  return { freeze: { ...freeze, ...leftMs } };
}

/** How long the step has run: time counts only while neither paused nor disabled. */
export const elapsedMs = (
  rollout: Pick<RolloutRecord, 'step_elapsed_ms' | 'ticking_since'>,
  now: Date,
): number =>
  rollout.step_elapsed_ms +
  (rollout.ticking_since ? Math.max(0, now.getTime() - rollout.ticking_since.getTime()) : 0);

/** Whether a switch stops the agent's writes as a whole. */
export async function isDisabled(db: Sql, agent: string): Promise<boolean> {
  const off = await db
    .selectFrom('switch')
    .select('scope')
    .where('disabled', '=', true)
    .where('scope', 'in', scopesOver(agent))
    .executeTakeFirst();
  return off !== undefined;
}

/**
 * Each segment's latest word per guardrail, in its current generation; of other builds than count now, or of what the segment
 * was before another one joined, it says nothing.
 */
async function currentVerdicts(db: Sql, rollout: RolloutRecord, now: Date): Promise<VerdictFacts[]> {
  const { id, builds } = rollout;
  const pace = await paceOf(db, rollout, now);
  const counting = builds.filter(({ counts }) => counts).map(({ version }) => version);
  const rows = await db
    .selectFrom('verdict')
    .innerJoin('rollout_segment', (join) =>
      join
        .onRef('rollout_segment.rollout_id', '=', 'verdict.rollout_id')
        .onRef('rollout_segment.segment', '=', 'verdict.segment')
        .onRef('rollout_segment.generation', '=', 'verdict.generation'),
    )
    .select(['verdict.segment', 'verdict.metric', 'verdict.verdict'])
    .select(sql<Omit<VerdictRecord, 'buckets' | 'sums'>>`verdict.record - 'buckets' - 'sums'`.as('record'))
    .where('verdict.rollout_id', '=', id)
    .execute();
  return rows.map(({ segment, metric, verdict, record }) => {
    const { events, known, moreNeeded, builds: judged, provesFrom = 0 } = record;
    const perDay = pace(segment, metric);
    const soon = {
      ...(perDay !== undefined && { perDay }),
      ...(record.baselineThin && { baselineThin: true }),
      ...(record.sourceDown !== undefined && { sourceDown: record.sourceDown }),
    };
    const outdated =
      judged.join('\n') !== counting.join('\n') || provesFrom !== wholeFrom(rollout.plan.joined, segment);
    if (verdict !== 'breach' && outdated)
      return { segment, metric, verdict: 'no-data', events, known: 0, moreNeeded: null, ...soon };
    return {
      segment,
      metric,
      verdict: verdict as VerdictFacts['verdict'],
      events,
      known,
      moreNeeded,
      ...soon,
    };
  });
}
