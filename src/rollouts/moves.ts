import { guardSince } from '../cases/guard.ts';
import type { Sql } from '../db/database.ts';
import { digestOf } from '../domain/digest.ts';
import { durationMs } from '../domain/duration.ts';
import { BY_PLAN } from '../domain/rollout/paused.ts';
import type { SegmentFacts } from '../domain/rollout/phase.ts';
import type { Step } from '../domain/rollout/steps.ts';
import { raiseAlert } from '../records/alert.ts';
import { foldCounts } from '../records/counters.ts';
import { openCycleReview } from '../records/cycle-review.ts';
import { figures } from '../records/figures.ts';
import { closeGateFor } from '../records/gate.ts';
import { appendEntry } from '../records/log-entry.ts';
import { afterCommit, followRevocation, revoke } from '../records/revocation.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { rolloutById, stepOf } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { baselineNow } from './baseline.ts';
import { dayLimits } from './day-limits.ts';
import { countEvidence } from './evidence.ts';
import { elapsedMs } from './facts.ts';

/** Nobody was told of a gate: the next one is told anew. */
export const GATE_CLOSED = { gate_told_at: null, gate_asked_at: null, gate_escalated_at: null } as const;

/** A rollout that is paused from now on: its time stands still, and its row says who or what did it and why. */
export const pausedBy = (
  rollout: Pick<RolloutRecord, 'step_elapsed_ms' | 'ticking_since'>,
  { now, by, because }: { now: Date; by: string; because: string },
) =>
  ({
    status: 'paused',
    step_elapsed_ms: elapsedMs(rollout, now),
    ticking_since: null,
    paused_at: now,
    paused_by: by,
    paused_because: because,
  }) as const;

/** One that is paused no more. */
export const RUNNING = {
  status: 'running',
  paused_at: null,
  paused_by: null,
  paused_because: null,
} as const;

/** What a move was planned from: a row that changed since is left alone and read again. */
export interface Planned {
  id: string;
  revision: number;
  segments: readonly Pick<SegmentFacts, 'segment' | 'generation'>[];
}

/** The row, if it is as the move was planned from; with its revision raised. */
export async function lockRow(tx: Sql, planned: Planned): Promise<RolloutRecord | undefined> {
  const rollout = await rolloutById(tx, planned.id);
  if (await isOutdated(tx, planned)) return undefined;
  const { numUpdatedRows } = await tx
    .updateTable('rollout')
    .set({ revision: planned.revision + 1 })
    .where('id', '=', planned.id)
    .where('revision', '=', planned.revision)
    .where('status', '=', 'running')
    .executeTakeFirst();
  return numUpdatedRows > 0n ? rollout : undefined;
}

/** A rollback raises the generation of its segment and leaves the rollout's row alone: nothing planned before it may be done. */
async function isOutdated(tx: Sql, { id, segments }: Planned): Promise<boolean> {
  const rows = await tx
    .selectFrom('rollout_segment')
    .select(['segment', 'generation'])
    .where('rollout_id', '=', id)
    .execute();
  const now = new Map(rows.map(({ segment, generation }) => [segment, generation]));
  return segments.some(({ segment, generation }) => now.get(segment) !== generation);
}

/**
 * Locks the baseline: what the release in force did in every segment, stored once with its digest, never edited; and by it
 * the harms a day that each segment may have.
 * False: the row changed meanwhile.
 */
export async function lockBaseline(services: Services, planned: Planned): Promise<boolean> {
  const now = services.clock.now();
  // However much was left to count, in short transactions: the one that locks has little of it left to do.
  await countEvidence(services.db.sql);
  await foldCounts(services.db.sql, services.dayMs);
  return services.db.sql.transaction().execute(async (tx) => {
    const rollout = await lockRow(tx, planned);
    if (!rollout || rollout.baseline_locked_at) return false;
    await countEvidence(tx);
    const rows = await baselineNow(tx, rollout, now);
    const digest = digestOf(rows);
    const perDay = await dayLimits(tx, { ...rollout, baseline: rows }, now);
    await tx
      .updateTable('rollout')
      .set({
        baseline: JSON.stringify(rows),
        baseline_digest: digest,
        baseline_locked_at: now,
        per_day: perDay && JSON.stringify(perDay),
      })
      .where('id', '=', planned.id)
      .where('baseline_locked_at', 'is', null)
      .execute();
    await appendEntry(tx, {
      kind: 'rollout.baseline_locked',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: BY_PLAN,
      data: { digest, rows: rows.length, perDay: figures(perDay) },
    });
    return true;
  });
}

/**
 * Enters a step: widens each segment that is still in the generation the workflow planned from. A segment rolled
 * back meanwhile matches no row and stays closed. False: the rollout changed meanwhile.
 */
export async function enterStep(services: Services, planned: Planned, stepIndex: number): Promise<boolean> {
  const now = services.clock.now();
  return closeGateFor(services, async (tx) => {
    const rollout = await lockRow(tx, planned);
    const step = rollout?.plan.steps[stepIndex];
    if (!rollout || !step || stepIndex !== rollout.step_index + 1) return false;
    const widened = await widen(tx, planned, step, now);
    await tx
      .updateTable('rollout')
      .set({
        step_index: stepIndex,
        step_elapsed_ms: 0,
        ticking_since: now,
        gate_approved_by: null,
        ...GATE_CLOSED,
      })
      .where('id', '=', planned.id)
      .execute();
    await appendEntry(tx, {
      kind: 'rollout.step_entered',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: rollout.gate_approved_by ?? BY_PLAN,
      data: { step: stepIndex + 1, phase: step.phase, exposure: Object.fromEntries(widened) },
    });
    const { phase } = stepOf(rollout);
    if (step.phase !== phase)
      await openCycleReview(tx, rollout, {
        ending: 'gate_passed',
        because: `the gate of ${phase} is passed`,
        at: now,
        by: rollout.gate_approved_by ?? BY_PLAN,
      });
    return true;
  });
}

async function widen(tx: Sql, planned: Planned, step: Step, now: Date): Promise<[string, number][]> {
  const widened: [string, number][] = [];
  for (const { segment, generation } of planned.segments) {
    const exposure = step.exposure[segment] ?? 0;
    if (exposure === 0) continue;
    const { numUpdatedRows } = await tx
      .updateTable('rollout_segment')
      .set({ exposure, state: 'exposed', changed_at: now, because: `step ${step.index + 1}` })
      .where('rollout_id', '=', planned.id)
      .where('segment', '=', segment)
      .where('generation', '=', generation)
      .where('state', 'in', ['waiting', 'exposed'])
      .where('exposure', '<=', exposure)
      .executeTakeFirst();
    if (numUpdatedRows > 0n) widened.push([segment, exposure]);
  }
  return widened;
}

/** The candidate comes in force wherever it was not taken back; watching goes on, as long as its release says. */
export async function completeRollout(services: Services, planned: Planned): Promise<boolean> {
  const now = services.clock.now();
  const completed = await closeGateFor(services, async (tx, epoch) => {
    const rollout = await lockRow(tx, planned);
    if (!rollout) return false;
    const revocations: number[] = [];
    const exposed = await tx
      .selectFrom('rollout_segment')
      .select('segment')
      .where('rollout_id', '=', planned.id)
      .where('state', '=', 'exposed')
      .orderBy('segment')
      .execute();
    const earned = exposed.map(({ segment }) => segment);
    // First, because it ends standing approvals: they are locked before the actions they were given with.
    const { watchFor, dayMs } = rollout.plan;
    const watchUntil = watchFor ? new Date(now.getTime() + durationMs(watchFor, dayMs)) : null;
    await tx
      .updateTable('rollout')
      .set({ status: 'completed', ended_at: now, ticking_since: null, watch_until: watchUntil })
      .where('id', '=', rollout.id)
      .execute();
    for (const segment of earned) {
      await tx
        .updateTable('in_force')
        .set({ release: rollout.release, since: now, because: `rollout ${rollout.id}` })
        .where('agent', '=', rollout.agent)
        .where('segment', '=', segment)
        .execute();
      const { agent, id } = rollout;
      const control = { agent, rollout: id, segment, arm: 'control', because: 'new_release' } as const;
      revocations.push(await revoke(tx, { ...control, epoch, at: now, actor: BY_PLAN }));
    }
    await appendEntry(tx, {
      kind: 'rollout.completed',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: rollout.gate_approved_by ?? BY_PLAN,
      data: {
        release: rollout.release,
        segments: earned,
        salt: rollout.salt,
        ...(watchUntil && { watchUntil: watchUntil.toISOString() }),
      },
    });
    await openCycleReview(tx, rollout, {
      ending: 'in_force',
      because: `release ${rollout.release} is in force`,
      at: now,
      by: rollout.gate_approved_by ?? BY_PLAN,
    });
    await raiseAlert(tx, 'rollout.completed', rollout.agent, now, { rollout: rollout.id, segments: earned });
    return { agent: rollout.agent, by: rollout.gate_approved_by ?? BY_PLAN, revocations };
  });
  if (!completed) return false;
  for (const id of completed.revocations)
    await afterCommit(services.log, id, () => followRevocation(services.db.sql, id, now));
  await guardSince(services, completed.agent, { at: now, by: completed.by });
  return true;
}
