import { type Actor, type Role, requireRole, type Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import { closeGateFor } from '../db/gate.ts';
import { machineWaits } from '../domain/phase.ts';
import { AppError } from '../errors.ts';
import { appendEntry } from '../log/append.ts';
import { elapsedMs, rolloutById, rolloutFacts } from './facts.ts';
import { type RolloutRecord, stepOf } from './record.ts';
import { rollBack } from './roll-back.ts';

export const ROLLOUT_VERBS = [
  'pause',
  'resume',
  'advance',
  'approve-gate',
  'reject-gate',
  'rollback',
  'reenter',
  'exclude',
] as const;
export type RolloutVerb = (typeof ROLLOUT_VERBS)[number];

export interface RolloutVerbInput {
  id: string;
  verb: RolloutVerb;
  reason: string;
  segment?: string;
  /** The checks a person confirms when approving a gate; every one of the step's list is needed. */
  checklist?: readonly string[];
}

export interface VerbAnswer {
  changed: boolean;
  detail: string;
}

const MAY: Readonly<Record<RolloutVerb, readonly Role[]>> = {
  pause: ['release-manager', 'on-call'],
  resume: ['release-manager'],
  advance: ['release-manager'],
  'approve-gate': ['release-manager'],
  'reject-gate': ['release-manager'],
  rollback: ['release-manager', 'on-call'],
  reenter: ['release-manager'],
  exclude: ['release-manager'],
};

/**
 * Steers a rollout; each verb with its actor, reason and permission in the log. Repeating one changes nothing.
 * @throws AppError `forbidden`, `not_found`, `wrong_state`, `gate_not_ready`
 */
export async function runRolloutVerb(
  services: Services,
  actor: Actor,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const rollout = await rolloutById(services.db.sql, input.id);
  requireRole(actor, MAY[input.verb], rollout.agent);
  if (!input.reason.trim()) throw new AppError('invalid_input', `Cannot ${input.verb} without a reason`);
  if (rollout.ended_at && !(input.verb === 'rollback' && rollout.status === 'completed')) {
    throw new AppError('wrong_state', `Cannot ${input.verb}: rollout ${rollout.id} is ${rollout.status}`);
  }
  switch (input.verb) {
    case 'pause':
      return pause(services, actor, rollout, input);
    case 'resume':
      return resume(services, actor, rollout, input);
    case 'advance':
    case 'approve-gate':
      return approveGate(services, actor, rollout, input);
    case 'reject-gate':
      return rejectGate(services, actor, rollout, input);
    case 'rollback':
      return input.segment
        ? rollbackOne(services, actor, rollout, input)
        : rollbackAll(services, actor, rollout, input);
    case 'reenter':
    case 'exclude':
      return settleSegment(services, actor, rollout, input);
  }
}

/** Changes the row if it is still as read, with the verb's log entry and a signal to the workflow. */
async function change(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  { verb, reason }: RolloutVerbInput,
  set: Record<string, unknown>,
  data: Record<string, unknown> = {},
): Promise<void> {
  const now = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('rollout')
      .set({ ...set, revision: rollout.revision + 1 })
      .where('id', '=', rollout.id)
      .where('revision', '=', rollout.revision)
      .executeTakeFirst();
    if (numUpdatedRows === 0n)
      throw new AppError('conflict', `Cannot ${verb}: the rollout changed meanwhile`);
    await logVerb(tx, actor, rollout, verb, now, { reason, ...data });
  });
  services.wake();
}

async function logVerb(
  tx: Sql,
  actor: Actor,
  rollout: RolloutRecord,
  verb: string,
  at: Date,
  data: Record<string, unknown>,
) {
  await appendEntry(tx, {
    kind: `rollout.${verb}`,
    agent: rollout.agent,
    ref: rollout.id,
    at,
    actor: actor.id,
    data: { ...data, via: actor.via, identity: actor.identity },
  });
  await tx.insertInto('outbox').values({ topic: 'rollout', key: rollout.id, payload: '{}' }).execute();
}

async function pause(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  if (rollout.status === 'paused') return { changed: false, detail: 'it is paused already' };
  const elapsed = elapsedMs(rollout, services.clock.now());
  await change(services, actor, rollout, input, {
    status: 'paused',
    step_elapsed_ms: elapsed,
    ticking_since: null,
  });
  return { changed: true, detail: 'paused: exposure stays, step time stands still, judging goes on' };
}

async function resume(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  if (rollout.status === 'running' && !rollout.held_for_version)
    return { changed: false, detail: 'it is running already' };
  const facts = await rolloutFacts(services, rollout.id);
  const version = rollout.held_for_version
    ? { agent_version: rollout.held_for_version, held_for_version: null }
    : {};
  const elapsed = elapsedMs(rollout, services.clock.now());
  await change(
    services,
    actor,
    rollout,
    input,
    {
      status: 'running',
      step_elapsed_ms: elapsed,
      ticking_since: facts.disabled ? null : services.clock.now(),
      ...version,
    },
    rollout.held_for_version ? { agentVersion: rollout.held_for_version } : {},
  );
  return {
    changed: true,
    detail: facts.disabled ? 'running, but the switch is off: time stands still' : 'running',
  };
}

/** `approve-gate` needs everything else to hold; `advance` does too, but ends the step's time. */
async function approveGate(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  if (!actor.person)
    throw new AppError('forbidden', `Only a person may ${input.verb}: use a token made for one (--person)`);
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
      ? { step_elapsed_ms: Math.ceil(days * services.dayMs), ticking_since: null }
      : {};
  await change(
    services,
    actor,
    rollout,
    input,
    { gate_approved_by: actor.person, ...time },
    {
      step: rollout.step_index + 1,
      checklist: [...(input.checklist ?? [])],
    },
  );
  return { changed: true, detail: `step ${rollout.step_index + 1} approved by ${actor.person}` };
}

async function rejectGate(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const elapsed = elapsedMs(rollout, services.clock.now());
  await change(
    services,
    actor,
    rollout,
    input,
    { status: 'paused', gate_approved_by: null, step_elapsed_ms: elapsed, ticking_since: null },
    { step: rollout.step_index + 1 },
  );
  return { changed: true, detail: 'gate rejected: the rollout is paused until somebody resumes it' };
}

async function rollbackOne(
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
  const back = `${segment} is back on release ${rollout.plan.control[segment] ?? '-'}`;
  return done
    ? { changed: true, detail: `${back}; incident ${done.incident}` }
    : { changed: false, detail: `${segment} is rolled back already` };
}

async function rollbackAll(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const targets = Object.keys(stepOf(rollout).exposure).map((segment) => ({ segment }));
  const done = await rollBack(services, rollout.id, targets, { actor: actor.id, because: input.reason });
  const latest = await rolloutById(services.db.sql, rollout.id);
  await change(services, actor, latest, input, {
    status: 'rolled_back',
    ticking_since: null,
    ended_at: latest.ended_at ?? services.clock.now(),
  });
  return {
    changed: true,
    detail: `rolled back and ended: ${done.map(({ segment }) => segment).join(', ') || 'nothing was left to take back'}`,
  };
}

/** Only a person's recorded word opens a rolled-back segment again, or leaves it out for good. */
async function settleSegment(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  if (!actor.person)
    throw new AppError('forbidden', `Only a person may ${input.verb}: use a token made for one (--person)`);
  const segment = requireSegment(rollout, input.segment);
  const exposure = input.verb === 'reenter' ? (stepOf(rollout).exposure[segment] ?? 0) : 0;
  const state = input.verb === 'exclude' ? 'excluded' : exposure > 0 ? 'exposed' : 'waiting';
  const now = services.clock.now();
  return closeGateFor(services, async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('rollout_segment')
      .set({ state, exposure, changed_at: now, because: input.reason })
      .where('rollout_id', '=', rollout.id)
      .where('segment', '=', segment)
      .where('state', '=', 'rolled_back')
      .executeTakeFirst();
    if (numUpdatedRows === 0n) {
      throw new AppError('wrong_state', `Cannot ${input.verb} ${segment}: it is not rolled back`);
    }
    await logVerb(tx, actor, rollout, input.verb, now, { segment, exposure, reason: input.reason });
    return {
      changed: true,
      detail:
        input.verb === 'reenter'
          ? `${segment} is exposed again at ${exposure / 100} %`
          : `${segment} keeps the old release`,
    };
  });
}

function requireSegment(rollout: RolloutRecord, segment: string | undefined): string {
  const known = Object.keys(stepOf(rollout).exposure);
  if (segment !== undefined && known.includes(segment)) return segment;
  throw new AppError(
    'invalid_input',
    `Rollout ${rollout.id} has no segment "${segment ?? ''}": it has ${known.join(', ')}`,
  );
}
