import type { Actor } from '../actor.ts';
import { machineWaits } from '../domain/rollout/phase.ts';
import { AppError } from '../errors.ts';
import { openCycleReview } from '../records/cycle-review.ts';
import { requireOwner } from '../records/owner.ts';
import { type RolloutRecord, rolloutById, stepOf } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { rolloutFacts } from './facts.ts';
import { GATE_CLOSED, pausedBy } from './moves.ts';
import { change, changeIn, type RolloutVerbInput, requireOpen, type VerbAnswer } from './verb.ts';

const TRIES = 3;

/**
 * A person's answer to the gate of a step. It does not fail by what else changed the row meanwhile, as a reminder that went out:
 * then it is asked of everything anew, of the same step.
 * @throws AppError `conflict` where it is another step by now, `gate_not_ready`, `wrong_state`, `forbidden`
 */
export async function answerGate(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const answer = input.verb === 'reject-gate' ? rejectGate : approveGate;
  const seen = { ...input, step: input.step ?? rollout.step_index + 1 };
  let now = rollout;
  for (let left = TRIES - 1; ; left--) {
    try {
      return await answer(services, actor, now, seen);
    } catch (error) {
      if (left === 0 || !(error instanceof AppError && error.code === 'conflict')) throw error;
    }
    now = await rolloutById(services.db.sql, rollout.id);
    requireOpen(now, seen);
  }
}

/** `approve-gate` needs everything else to hold; `advance` does too, but ends the step's time. */
async function approveGate(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const owner = await requireOwner(services, actor, rollout, input.verb);
  requireSeenStep(rollout, input);
  const facts = await rolloutFacts(services, rollout.id);
  const left = machineWaits(facts).filter((wait) => !(input.verb === 'advance' && wait.for === 'time'));
  if (left.length > 0) {
    const list = left.map((wait) => wait.detail).join('; ');
    throw new AppError(
      'gate_not_ready',
      `Cannot ${input.verb}: step ${rollout.step_index + 1} still waits for ${list}`,
      {
        waitsFor: left,
      },
    );
  }
  const { gate, days } = stepOf(rollout);
  const unchecked = gate.checklist.filter((item) => !input.checklist?.includes(item));
  if (unchecked.length > 0) {
    throw new AppError(
      'gate_not_ready',
      `Cannot ${input.verb}: confirm each check of the list: ${unchecked.join('; ')}`,
      {
        checklist: gate.checklist,
      },
    );
  }
  const time =
    input.verb === 'advance'
      ? { step_elapsed_ms: Math.ceil(days * rollout.plan.dayMs), ticking_since: null }
      : {};
  await change(
    services,
    actor,
    rollout,
    input,
    { gate_approved_by: owner.person, ...time },
    {
      step: rollout.step_index + 1,
      checklist: [...(input.checklist ?? [])],
      ...(owner.for && { for: owner.for }),
    },
  );
  return {
    changed: true,
    detail: `step ${rollout.step_index + 1} approved by ${owner.person}${owner.for ? ` for ${owner.for}` : ''}`,
  };
}

/** Nobody answers a gate that they did not see. */
function requireSeenStep({ step_index }: RolloutRecord, { verb, step }: RolloutVerbInput): void {
  if (step === undefined || step === step_index + 1) return;
  throw new AppError(
    'conflict',
    `Cannot ${verb}: the gate of step ${step} is not open any more, it is in step ${step_index + 1}`,
  );
}

async function rejectGate(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const owner = await requireOwner(services, actor, rollout, input.verb);
  requireSeenStep(rollout, input);
  const step = rollout.step_index + 1;
  const because = `the gate of step ${step} is rejected: ${input.reason}`;
  const now = services.clock.now();
  const set = {
    ...pausedBy(rollout, { now, by: actor.id, because }),
    gate_approved_by: null,
    ...GATE_CLOSED,
  };
  await services.db.sql.transaction().execute(async (tx) => {
    const more = { step, ...(owner.for && { for: owner.for }) };
    await changeIn(tx, actor, rollout, input, now, set, more);
    await openCycleReview(tx, rollout, { ending: 'gate_rejected', because, at: now, by: actor.id });
  });
  services.wake();
  return { changed: true, detail: 'gate rejected: the rollout is paused until somebody resumes it' };
}
