import { sql } from 'kysely';
import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { freezeText } from '../domain/freeze.ts';
import type { Step } from '../domain/rollout/steps.ts';
import { AppError } from '../errors.ts';
import { openCycleReview } from '../records/cycle-review.ts';
import { runningFreeze } from '../records/freezes.ts';
import { closeGateFor } from '../records/gate.ts';
import { manifestOf } from '../records/manifest.ts';
import { requireOwner } from '../records/owner.ts';
import { type RolloutRecord, rolloutById, stepOf } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { GATE_CLOSED } from './moves.ts';
import { stepsExposed } from './planned.ts';
import { releaseOf } from './release-of.ts';
import { rollBack } from './roll-back.ts';
import { changeIn, logVerb, type RolloutVerbInput, type VerbAnswer } from './verb.ts';

export async function rollbackOne(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const segment = requireSegment(rollout, input.segment);
  const [done] = await rollBack(services, rollout.id, [{ segment }], {
    actor: actor.id,
    because: input.reason,
  });
  const inForce = await releaseOf(services.db.sql, rollout.agent, segment);
  const back = `${segment} is back on release ${inForce ?? '-'}`;
  if (!done) return { changed: false, detail: `${segment} is rolled back already` };
  const told = done.incident ? `incident ${done.incident}` : 'it was not exposed';
  return { changed: true, detail: `${back}; ${told}` };
}

export async function rollbackAll(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const targets = Object.keys(stepOf(rollout).exposure).map((segment) => ({ segment }));
  const now = services.clock.now();
  const cause = { actor: actor.id, because: input.reason };
  const done = await rollBack(services, rollout.id, targets, cause, async (tx) => {
    const latest = await rolloutById(tx, rollout.id);
    const ended = { status: 'rolled_back', ticking_since: null, ended_at: latest.ended_at ?? now };
    await changeIn(tx, actor, latest, input, now, ended, { salt: latest.salt });
    await openCycleReview(tx, latest, {
      ending: 'rolled_back',
      because: input.reason,
      at: now,
      by: actor.id,
    });
  });
  return {
    changed: true,
    detail: `rolled back and ended: ${done.map(({ segment }) => segment).join(', ') || 'nothing was left to take back'}`,
  };
}

/** Only a person's recorded word opens a rolled-back segment again, or leaves it out for good. */
export async function settleSegment(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const owner = await requireOwner(services, actor, rollout, input.verb);
  const segment = requireSegment(rollout, input.segment);
  const earlier = input.verb === 'reenter' ? earlierStep(rollout, segment, input.fromStep) : undefined;
  const exposure = input.verb === 'reenter' ? ((earlier ?? stepOf(rollout)).exposure[segment] ?? 0) : 0;
  const state = input.verb === 'exclude' ? 'excluded' : exposure > 0 ? 'exposed' : 'waiting';
  const now = services.clock.now();
  return closeGateFor(services, async (tx) => {
    if (exposure > 0) await requireNoFreeze(tx, rollout, input.verb, now);
    const { numUpdatedRows } = await tx
      .updateTable('rollout_segment')
      .set({
        ...{ state, exposure, changed_at: now, because: input.reason },
        asks: false,
        generation: sql`generation + 1`,
      })
      .where('rollout_id', '=', rollout.id)
      .where('segment', '=', segment)
      .where('state', '=', 'rolled_back')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) {
      throw new AppError('wrong_state', `Cannot ${input.verb} ${segment}: it is not rolled back`);
    }
    const told = { segment, exposure, ...(owner.for && { for: owner.for }) };
    if (earlier) await goBackTo(tx, actor, rollout, input, earlier, told, now);
    else await logVerb(tx, actor, rollout, input.verb, now, { ...told, reason: input.reason });
    return {
      changed: true,
      detail:
        input.verb === 'reenter'
          ? `${segment} is exposed again at ${exposure / 100} %${earlier ? `, and the rollout goes on from step ${earlier.index + 1}: what is exposed further stays so` : ''}`
          : `${segment} keeps the old release`,
    };
  });
}

/** What evidence did early in a segment is taken back: it asks as its grants and the step say, and is exposed as the step says. */
export async function easeSegment(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const owner = await requireOwner(services, actor, rollout, input.verb);
  const segment = requireSegment(rollout, input.segment);
  const now = services.clock.now();
  const exposure = stepOf(rollout).exposure[segment] ?? 0;
  const eased = await closeGateFor(services, async (tx) => {
    const before = await tx
      .selectFrom('rollout_segment')
      .select(['asks', 'exposure'])
      .where('rollout_id', '=', rollout.id)
      .where('segment', '=', segment)
      .where('state', '=', 'exposed')
      .executeTakeFirst();
    const widens = before !== undefined && before.exposure < exposure;
    if (!before?.asks && !widens) return false;
    if (widens) await requireNoFreeze(tx, rollout, input.verb, now);
    await tx
      .updateTable('rollout_segment')
      .set({ asks: false, ...(widens && { exposure, changed_at: now, because: input.reason }) })
      .where('rollout_id', '=', rollout.id)
      .where('segment', '=', segment)
      .execute();
    // Nothing that was planned before it may be done.
    await tx
      .updateTable('rollout')
      .set((row) => ({ revision: row('revision', '+', 1) }))
      .where('id', '=', rollout.id)
      .execute();
    const told = { segment, exposure, ...(owner.for && { for: owner.for }), reason: input.reason };
    await logVerb(tx, actor, rollout, input.verb, now, told);
    return true;
  });
  return eased
    ? { changed: true, detail: `${segment} asks and is exposed as the step says again` }
    : { changed: false, detail: `${segment} is as the step says already` };
}

/** A step of the plan before the present one in which the segment was exposed. @throws AppError `invalid_input` */
function earlierStep(rollout: RolloutRecord, segment: string, asked: number | undefined): Step | undefined {
  if (asked === undefined || asked === rollout.step_index + 1) return undefined;
  const good = stepsExposed(rollout, segment);
  const step = good.find(({ index }) => index === asked - 1);
  if (step) return step;
  throw new AppError(
    'invalid_input',
    `Cannot reenter ${segment} from step ${asked} of rollout ${rollout.id}: it was exposed in ${good.map(({ index }) => `step ${index + 1}`).join(', ') || 'none'} so far`,
  );
}

/** The rollout takes its steps from there again, each with its time and its gate; no other segment is exposed less by it. */
function goBackTo(
  tx: Sql,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
  { index }: Step,
  told: Record<string, unknown>,
  now: Date,
): Promise<void> {
  const ticking = rollout.ticking_since === null ? null : now;
  const set = {
    step_index: index,
    step_elapsed_ms: 0,
    ticking_since: ticking,
    gate_approved_by: null,
    ...GATE_CLOSED,
  };
  return changeIn(tx, actor, rollout, input, now, set, { ...told, fromStep: index + 1 });
}

/** @throws AppError `invalid_input` */
export function requireSegment(rollout: RolloutRecord, segment: string | undefined): string {
  const known = Object.keys(stepOf(rollout).exposure);
  if (segment !== undefined && known.includes(segment)) return segment;
  throw new AppError(
    'invalid_input',
    `Rollout ${rollout.id} has no segment "${segment ?? ''}": it has ${known.join(', ')}`,
  );
}

/** Nothing widens in a freeze, a segment that was taken back neither. */
async function requireNoFreeze(tx: Sql, { agent }: RolloutRecord, verb: string, now: Date): Promise<void> {
  const freeze = await runningFreeze(tx, await manifestOf(tx, agent), now);
  if (freeze) throw new AppError('wrong_state', `Cannot ${verb}: ${freezeText(freeze)}`);
}
