import { type Selectable, sql } from 'kysely';
import { type Actor, requireOwn } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { RolloutTable } from '../db/tables-rollout.ts';
import { type Duration, durationMs, REAL_DAY_MS } from '../domain/duration.ts';
import type { AlphaWeight } from '../domain/evidence/alpha.ts';
import type { Companion } from '../domain/manifest/companions.ts';
import type { MetricSource } from '../domain/metric-source.ts';
import type { Guardrail } from '../domain/release.ts';
import type { JoinedSegment } from '../domain/rollout/join.ts';
import type { Step } from '../domain/rollout/steps.ts';
import { AppError } from '../errors.ts';

/** A guardrail whose limit is one on harm: where higher is better, `atLeast` is what the release says. */
export type FrozenGuardrail = Guardrail & { atLeast?: number };

/** What a guardrail on a sum or a ratio is judged by. */
export interface SumLimits {
  /** None where it follows from the locked baseline of each segment. */
  limit?: number;
  cap?: number;
  perMax?: number;
  /** Of a ratio: what it is counted in, as the agent said then. */
  unit?: string;
  /** How much more than control it may come to, and how far each segment is ever exposed short of wholly. */
  more?: number;
  exposed?: Readonly<Record<string, number>>;
}

/** What a rollout froze when it started: every judgement of its life uses this. */
export interface FrozenPlan {
  steps: readonly Step[];
  alpha: number;
  shares: readonly AlphaWeight[];
  guardrails: readonly FrozenGuardrail[];
  /**
   * The guardrails on sums and ratios: what a subject-day may come to in the mean, and what it cannot exceed; `perMax` is of a
   * ratio, which is set against so much at most.
   */
  sums?: Readonly<Record<string, SumLimits>>;
  /** Release in force per segment when it started: what a rollback returns to. */
  control: Readonly<Record<string, string>>;
  representative: readonly string[];
  signedOffBy: string;
  escalation: string;
  /** Where the subjects come from, as the release says. */
  subject: string;
  /** Where the agent says them: how many new ones an hour may be assigned to an arm. */
  newSubjectsPerHour: number;
  /** Where the metrics of guardrails are counted that nobody reports. */
  sources?: Readonly<Record<string, MetricSource>>;
  /** Who confirms a write where each write asks and its grant asks nobody. */
  asks?: string;
  /** Metrics that are judged together. */
  pairs?: readonly (readonly string[])[];
  matureAfter: Readonly<Record<string, string>>;
  /**
   * Of the metrics that are compared with the release in force: how long after it what is compared of a day stands, and no later
   * outcome counts. One that began before there was such a time has none.
   */
  ripeMs?: Readonly<Record<string, number>>;
  /** What counts harms a day beside its rate; one that began before there was such a count goes on without. */
  companions?: readonly Companion[];
  /** Segments that later manifests gave it, in the order in which they came. */
  joined?: readonly JoinedSegment[];
  /** How long it is watched after it completed, as the release says; else as long as its release is in force. */
  watchFor?: Duration;
  /** Milliseconds of a day of this rollout, whatever `PORTCULLIS_DAY` says later. */
  dayMs: number;
}

/** The rollout row with its plan typed. */
export interface RolloutRecord extends Omit<Selectable<RolloutTable>, 'plan'> {
  plan: FrozenPlan;
}

export const recordOf = (row: Selectable<RolloutTable>): RolloutRecord => ({
  ...row,
  plan: {
    dayMs: REAL_DAY_MS,
    newSubjectsPerHour: 100,
    ...(row.plan as Omit<FrozenPlan, 'dayMs' | 'newSubjectsPerHour'>),
  },
});

/** Whether the time is over for which its release had it watched. What came before that counts, whenever it is judged. */
export const isWatchOver = ({ watch_until }: Pick<RolloutRecord, 'watch_until'>, now: Date): boolean =>
  watch_until !== null && watch_until <= now;

/** The step a rollout is in; the last one when it is through. */
export function stepOf(rollout: Pick<RolloutRecord, 'plan' | 'step_index'>): Step {
  const step = rollout.plan.steps[Math.min(rollout.step_index, rollout.plan.steps.length - 1)];
  if (!step) throw new RangeError('a rollout has at least one step');
  return step;
}

/** Elapsed days since the start, 0 on the first: the start-day bucket of an event. */
export const dayOf = ({ started_at, plan }: Pick<RolloutRecord, 'started_at' | 'plan'>, now: Date): number =>
  Math.max(0, Math.floor((now.getTime() - started_at.getTime()) / plan.dayMs));

/** The first day that is not ripe: what came of it may not be known yet. */
export function ripeBefore(rollout: RolloutRecord, metric: string, now: Date): number {
  const { matureAfter, dayMs } = rollout.plan;
  return dayOf(rollout, new Date(now.getTime() - durationMs(matureAfter[metric] ?? '1d', dayMs)));
}

/** The same with its part of a day. */
export const daysAt = ({ started_at, plan }: Pick<RolloutRecord, 'started_at' | 'plan'>, at: Date): number =>
  Math.max(0, (at.getTime() - started_at.getTime()) / plan.dayMs);

/** @throws AppError `not_found` */
export async function rolloutById(db: Sql, id: string): Promise<RolloutRecord> {
  const rollout = await rolloutNamed(db, id);
  if (!rollout) throw noSuchRollout(id);
  return rollout;
}

/** The record, which nobody else changes until the transaction ends. */
export async function lockedRollout(tx: Sql, id: string): Promise<RolloutRecord> {
  const locked = tx.selectFrom('rollout').selectAll().where('id', '=', id).forUpdate();
  return recordOf(await locked.executeTakeFirstOrThrow());
}

/** The record, if the actor may know of it. @throws AppError `not_found` */
export async function ownRollout(db: Sql, actor: Actor, id: string): Promise<RolloutRecord> {
  const rollout = await rolloutById(db, id);
  requireOwn(actor, rollout, noSuchRollout(id));
  return rollout;
}

const noSuchRollout = (id: string): AppError => new AppError('not_found', `There is no rollout "${id}"`);

/** The record of that id, if there is one. */
export async function rolloutNamed(db: Sql, id: string): Promise<RolloutRecord | undefined> {
  const row = await db.selectFrom('rollout').selectAll().where('id', '=', id).executeTakeFirst();
  return row && recordOf(row);
}

/** The rollout of an agent that has not ended: there is one at most. */
export async function openRollout(db: Sql, agent: string): Promise<RolloutRecord | undefined> {
  const row = await db
    .selectFrom('rollout')
    .selectAll()
    .where('agent', '=', agent)
    .where('ended_at', 'is', null)
    .executeTakeFirst();
  return row && recordOf(row);
}

/** Whether the release of a rollout is in force in any segment. */
const SERVES = sql<boolean>`EXISTS (SELECT 1 FROM in_force f WHERE f.agent = rollout.agent AND f.release = rollout.release)`;

/** Whether a rollout can be rolled back: it is open, or it completed and its release is in force, watched or not. */
export const CAN_ROLL_BACK = sql<boolean>`(rollout.ended_at IS NULL OR (rollout.status = 'completed' AND ${SERVES}))`;

/** Whether this one can. */
export async function canRollBack(db: Sql, id: string): Promise<boolean> {
  const row = await db
    .selectFrom('rollout')
    .select('id')
    .where('id', '=', id)
    .where(CAN_ROLL_BACK)
    .executeTakeFirst();
  return row !== undefined;
}

/** The rollouts of an agent that can be rolled back. First the one that is meant where only the agent is named: the open one, then the last that completed. */
export async function revocableRollouts(db: Sql, agent: string): Promise<RolloutRecord[]> {
  const rows = await db
    .selectFrom('rollout')
    .selectAll()
    .where('agent', '=', agent)
    .where(CAN_ROLL_BACK)
    .orderBy('ended_at', (order) => order.desc().nullsFirst())
    .execute();
  return rows.map(recordOf);
}

/**
 * The open rollout of an agent, else the last one that completed: it is watched as long as its release is in force, or until
 * its watch was found to be over.
 */
export async function watchedRollout(db: Sql, agent: string): Promise<RolloutRecord | undefined> {
  const row = await db
    .selectFrom('rollout')
    .selectAll()
    .select(SERVES.as('serves'))
    .where('agent', '=', agent)
    .where((where) => where.or([where('ended_at', 'is', null), where('status', '=', 'completed')]))
    .orderBy('ended_at', (order) => order.desc().nullsFirst())
    .limit(1)
    .executeTakeFirst();
  if (!row) return undefined;
  const { serves, ...rollout } = row;
  const isWatched = serves && rollout.watch_ended_at === null;
  return rollout.ended_at === null || isWatched ? recordOf(rollout) : undefined;
}
