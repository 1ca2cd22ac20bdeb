import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import type { LockedBaseline } from '../domain/evidence/baseline.ts';
import type { DayLimit } from '../domain/evidence/day-limit.ts';
import type { VerdictWord } from '../domain/evidence/guardrail.ts';
import { worstOf } from '../domain/evidence/pair.ts';
import type { CaseWaiver } from '../domain/rollout/blockers.ts';
import { changeOf, type SegmentChange } from '../domain/rollout/join.ts';
import { type Wait, waitsOf } from '../domain/rollout/phase.ts';
import { onAgentsWord } from '../domain/subject.ts';
import { manifestOf } from '../records/manifest.ts';
import { dayOf, isWatchOver, type RolloutRecord, rolloutById, stepOf } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { type ArmsView, armsOf } from './arms.ts';
import { baselineNow } from './baseline.ts';
import { rolloutFacts } from './facts.ts';
import { type PlannedStep, plannedOf, stepsExposed } from './planned.ts';
import { SOURCE_BUILD } from './read-sources.ts';
import { liveWaivers } from './suite-gate.ts';
import { type WorthALook, worthALook } from './worth-a-look.ts';

/** A verdict without the counts of each day that it rests on. */
export interface VerdictLine extends Omit<VerdictRecord, 'buckets' | 'sums' | 'count'> {
  count?: Omit<NonNullable<VerdictRecord['count']>, 'exposed' | 'harms'>;
}

/** Where a rollout is, what it waits for and why. */
export interface RolloutStatusView {
  id: string;
  agent: string;
  release: string;
  status: RolloutRecord['status'];
  phase: string;
  step: number;
  steps: number;
  /** "day 74 of 90, 6 late" */
  plan: string;
  day: number;
  startedAt: Date;
  startedBy: string;
  endedAt: Date | null;
  /** Of one that completed: until when it is watched, and whether that is over; null where it is as long as its release is in force. */
  watchedUntil: Date | null;
  watchOver: boolean;
  waitsFor: Wait[];
  /** The whole plan. */
  planned: PlannedStep[];
  segments: {
    segment: string;
    state: string;
    exposurePercent: number;
    generation: number;
    /** People confirm each write of the candidate there, because of its evidence. */
    asks: boolean;
    release: string | null;
    /** Of one that joined later, and of `default`, whose people they were. */
    changed?: SegmentChange;
    /** Of one that was rolled back: the earlier steps of the plan from which it may enter again. */
    reenterFrom?: number[];
    verdicts: VerdictLine[];
  }[];
  pooled: VerdictLine[];
  /** Of the exposed segments, what is judged together. */
  pairs: PairView[];
  /** What people should look at although nothing was taken back. */
  worthALook: WorthALook[];
  /** The last one that was judged of a segment, with everything it rests on; of each change the log has the same. */
  lastVerdict: VerdictRecord | null;
  /** Harms a day that each segment may have, as fixed with the baseline; null before, and where it began without. */
  perDay: DayLimit[] | null;
  /** As it was locked or, until then, as it would be locked now. */
  baseline: LockedBaseline[];
  baselineDigest: string | null;
  digests: Record<string, string>;
  gateApprovedBy: string | null;
  dayMs: number;
  subjects: SubjectsView;
  /** How the subjects of the exposed segments split, beside how they are assigned. */
  arms: ArmsView[];
  builds: BuildView[];
  /** Cases of the agent that need not be green, until when and on whose word. */
  waivers: CaseWaiver[];
}

/** Metrics that are judged together in a segment: a gain in one excuses no loss in the other. */
export interface PairView {
  segment: string;
  verdict: VerdictWord;
  metrics: { metric: string; verdict: VerdictWord }[];
}

/** What one build of the agent did: the candidate's events of it, over all days. */
export interface BuildView {
  version: string;
  /** Whether they fill the sample of the gates. */
  counts: boolean;
  events: { segment: string; metric: string; events: number; harms: number; known: number }[];
}

/** On whose word arms are assigned. */
export interface SubjectsView {
  /** Segments in which only the agent says what a request is about. */
  agentsWord: string[];
  /** How many new ones an hour it may say, said within the last hour, and were too many: those stay in control. */
  perHour: number;
  lastHour: number;
  surplus: number;
}

/** @throws AppError `not_found` */
export async function rolloutStatus(services: Services, id: string): Promise<RolloutStatusView> {
  const rollout = await rolloutById(services.db.sql, id);
  const facts = await rolloutFacts(services, id);
  const verdicts = await verdictsOf(services.db.sql, id);
  const step = stepOf(rollout);
  const ended = rollout.ended_at !== null;
  const asOf = rollout.ended_at ?? services.clock.now();
  const segments = facts.segments.map(({ segment, state, exposure, generation, asks }) => ({
    segment,
    state,
    exposurePercent: exposure / 100,
    generation,
    asks: asks === true,
    release: exposure > 0 ? rollout.release : (rollout.plan.control[segment] ?? null),
    ...changed(rollout, segment),
    ...(state === 'rolled_back' && !ended && { reenterFrom: earlierSteps(rollout, segment) }),
    verdicts: shownOf(
      verdicts.filter((row) => row.segment === segment),
      (row) => (state === 'rolled_back' ? true : row.generation === generation),
      state === 'rolled_back',
    ),
  }));
  return {
    id: rollout.id,
    agent: rollout.agent,
    release: rollout.release,
    status: rollout.status,
    phase: step.phase,
    step: rollout.step_index + 1,
    steps: rollout.plan.steps.length,
    plan: planText(rollout, asOf, facts.elapsedMs),
    day: dayOf(rollout, asOf) + 1,
    startedAt: rollout.started_at,
    startedBy: rollout.started_by,
    endedAt: rollout.ended_at,
    watchedUntil: rollout.watch_until,
    watchOver: isWatchOver(rollout, services.clock.now()),
    waitsFor: ended ? [] : waitsOf(facts),
    planned: plannedOf(rollout),
    segments,
    pooled: shownOf(
      verdicts.filter((row) => row.segment === POOLED_SEGMENT),
      () => true,
      facts.segments.some(({ state }) => state === 'rolled_back'),
    ),
    pairs: pairsOf(rollout, segments),
    worthALook: await worthALook(
      services.db.sql,
      rollout,
      segments.filter(({ state }) => state === 'exposed'),
    ),
    lastVerdict: await lastVerdictOf(services.db.sql, id),
    perDay: rollout.per_day,
    baseline: rollout.baseline ?? (await baselineNow(services.db.sql, rollout, asOf)),
    baselineDigest: rollout.baseline_digest,
    digests: rollout.digests,
    gateApprovedBy: rollout.gate_approved_by,
    dayMs: rollout.plan.dayMs,
    subjects: await subjectsOf(services.db.sql, rollout, asOf),
    arms: await armsOf(services.db.sql, id),
    builds: await buildsOf(services.db.sql, rollout),
    waivers: await liveWaivers(services.db.sql, rollout.agent, services.clock.now()),
  };
}

function changed({ plan }: RolloutRecord, segment: string): { changed?: SegmentChange } {
  const change = changeOf(plan.joined, segment);
  return change ? { changed: change } : {};
}

const earlierSteps = (rollout: RolloutRecord, segment: string): number[] =>
  stepsExposed(rollout, segment).flatMap(({ index }) => (index < rollout.step_index ? [index + 1] : []));

function pairsOf(
  { plan }: RolloutRecord,
  segments: readonly { segment: string; state: string; verdicts: readonly VerdictLine[] }[],
): PairView[] {
  return (plan.pairs ?? []).flatMap((pair) =>
    segments
      .filter(({ state }) => state === 'exposed' || state === 'rolled_back')
      .map(({ segment, verdicts }) => {
        const metrics = pair.map((metric) => ({
          metric,
          verdict: verdicts.find((one) => one.metric === metric)?.verdict ?? ('no-data' as const),
        }));
        return { segment, metrics, verdict: worstOf(metrics.map(({ verdict }) => verdict)) };
      }),
  );
}

async function buildsOf(db: Sql, { id, builds }: RolloutRecord): Promise<BuildView[]> {
  const { rows } = await sql<BuildView['events'][number] & { build: string }>`
    SELECT build, segment, metric, sum(events)::float8 AS events, sum(harms)::float8 AS harms, sum(known)::float8 AS known
    FROM day_count WHERE rollout_id = ${id} AND arm = 'candidate' AND build <> ${SOURCE_BUILD} GROUP BY build, segment, metric
    ORDER BY build, segment, metric`.execute(db);
  const versions = [...new Set([...builds.map(({ version }) => version), ...rows.map(({ build }) => build)])];
  return versions.map((version) => ({
    version,
    counts: builds.some((build) => build.version === version && build.counts),
    events: rows.filter(({ build }) => build === version).map(({ build: _, ...counts }) => counts),
  }));
}

async function subjectsOf(db: Sql, { id, agent, plan }: RolloutRecord, asOf: Date): Promise<SubjectsView> {
  const hourAgo = new Date(asOf.getTime() - 3_600_000);
  const { lastHour } = await db
    .selectFrom('rollout_subject')
    .select(({ fn }) => fn.countAll<number>().as('lastHour'))
    .where('rollout_id', '=', id)
    .where('first_at', '>', hourAgo)
    .executeTakeFirstOrThrow();
  const surplus = await db
    .selectFrom('rollout_surplus')
    .select('subjects')
    .where('rollout_id', '=', id)
    .executeTakeFirst();
  return {
    agentsWord: onAgentsWord(await manifestOf(db, agent), plan.subject),
    perHour: plan.newSubjectsPerHour,
    lastHour: Number(lastHour),
    surplus: Number(surplus?.subjects ?? 0),
  };
}

interface SavedVerdict {
  segment: string;
  generation: number;
  record: VerdictLine;
}

/** One verdict a metric: the latest or, where something was taken back, the breach that did it. */
function shownOf(
  rows: readonly SavedVerdict[],
  counts: (row: SavedVerdict) => boolean,
  takenBack: boolean,
): VerdictLine[] {
  const newest = [...rows].filter(counts).sort((a, b) => b.generation - a.generation);
  const metrics = [...new Set(rows.map(({ record }) => record.metric))];
  return metrics.flatMap((metric) => {
    const own = newest.filter(({ record }) => record.metric === metric);
    const breach = takenBack ? own.find(({ record }) => record.verdict === 'breach') : undefined;
    return (breach ?? own[0])?.record ?? [];
  });
}

async function verdictsOf(db: Sql, id: string): Promise<SavedVerdict[]> {
  const { rows } = await sql<SavedVerdict>`
    SELECT segment, generation, record - 'buckets' - 'sums' #- '{count,exposed}' #- '{count,harms}' AS record
    FROM verdict WHERE rollout_id = ${id} ORDER BY metric`.execute(db);
  return rows;
}

async function lastVerdictOf(db: Sql, id: string): Promise<VerdictRecord | null> {
  const last = await db
    .selectFrom('verdict')
    .select('record')
    .where('rollout_id', '=', id)
    .where('segment', '<>', POOLED_SEGMENT)
    .orderBy('judged_at', 'desc')
    .orderBy('segment')
    .orderBy('metric')
    .limit(1)
    .executeTakeFirst();
  return (last?.record as VerdictRecord | undefined) ?? null;
}

/** Against plan: the day it is, and how late the step is. */
function planText(rollout: RolloutRecord, now: Date, elapsed: number): string {
  const { dayMs } = rollout.plan;
  const total = rollout.plan.steps.at(-1)?.toDay ?? 90;
  const day = dayOf(rollout, now) + 1;
  const step = stepOf(rollout);
  const planned = step.fromDay + Math.min(step.days, elapsed / dayMs);
  const late = Math.floor((now.getTime() - rollout.started_at.getTime()) / dayMs - planned);
  return `day ${day} of ${total}${late > 0 ? `, ${late} late` : ''}`;
}
