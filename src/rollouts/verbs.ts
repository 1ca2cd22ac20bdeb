import { type Actor, type Role, requireRole } from '../actor.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { requireOwner } from '../records/owner.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { canRollBack, dayOf, ownRollout } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { acceptArms } from './accept-arms.ts';
import { withBuild } from './agent-version.ts';
import { elapsedMs, rolloutFacts } from './facts.ts';
import { queueExposed } from './judge.ts';
import { GATE_CLOSED, pausedBy, RUNNING } from './moves.ts';
import {
  change,
  ROLLOUT_VERBS,
  type RolloutVerb,
  type RolloutVerbInput,
  requireOpen,
  type VerbAnswer,
} from './verb.ts';
import { answerGate } from './verb-gate.ts';
import { easeSegment, rollbackAll, rollbackOne, settleSegment } from './verb-segment.ts';

/** The role only opens the door: `requireOwner` says who may. A deputy of an owner need not manage releases. */
const OWNERS: readonly Role[] = ['release-manager', 'approver'];
const MAY: Readonly<Record<RolloutVerb, readonly Role[]>> = {
  pause: ['release-manager', 'on-call'],
  resume: ['release-manager'],
  advance: OWNERS,
  'approve-gate': OWNERS,
  'reject-gate': OWNERS,
  rollback: ['release-manager', 'on-call'],
  reenter: OWNERS,
  exclude: OWNERS,
  ease: OWNERS,
  'accept-arms': OWNERS,
};

/** The verbs that this actor would be let in to: of an open rollout all of them, of another at most that it is rolled back. */
export async function verbsOf(
  services: Services,
  actor: Actor,
  rollout: Pick<RolloutRecord, 'id' | 'agent' | 'ended_at'>,
): Promise<RolloutVerb[]> {
  const isOpen = rollout.ended_at === null;
  if (!isOpen && !(await canRollBack(services.db.sql, rollout.id))) return [];
  const takes: readonly RolloutVerb[] = isOpen ? ROLLOUT_VERBS : ['rollback'];
  const owns = await requireOwner(services, actor, rollout, 'steer').then(
    () => true,
    (error: unknown) => {
      if (error instanceof AppError && error.code === 'forbidden') return false;
      throw error;
    },
  );
  return takes.filter(
    (verb) => actor.roles.some((role) => MAY[verb].includes(role)) && (owns || MAY[verb] !== OWNERS),
  );
}

/**
 * Steers a rollout; each verb with its actor, reason and permission in the log. Repeating one changes nothing.
 * @throws AppError `forbidden`, `not_found`, `wrong_state`, `gate_not_ready`
 */
export async function runRolloutVerb(
  services: Services,
  actor: Actor,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  requireRole(actor, MAY[input.verb]);
  const rollout = await ownRollout(services.db.sql, actor, input.id);
  requireReason(input.reason, input.verb);
  if (input.fromStep !== undefined && input.verb !== 'reenter')
    throw new AppError('invalid_input', `Cannot ${input.verb} from a step: only a segment reenters from one`);
  requireOpen(rollout, input);
  switch (input.verb) {
    case 'pause':
      return pause(services, actor, rollout, input);
    case 'resume':
      return resume(services, actor, rollout, input);
    case 'advance':
    case 'approve-gate':
    case 'reject-gate':
      return answerGate(services, actor, rollout, input);
    case 'rollback':
      return input.segment
        ? rollbackOne(services, actor, rollout, input)
        : rollbackAll(services, actor, rollout, input);
    case 'reenter':
    case 'exclude':
      return settleSegment(services, actor, rollout, input);
    case 'ease':
      return easeSegment(services, actor, rollout, input);
    case 'accept-arms':
      return acceptArms(services, actor, rollout, input);
  }
}

async function pause(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  if (rollout.status === 'paused') return { changed: false, detail: 'it is paused already' };
  const cause = { now: services.clock.now(), by: actor.id, because: input.reason };
  await change(services, actor, rollout, input, pausedBy(rollout, cause));
  return { changed: true, detail: 'paused: exposure stays, step time stands still, judging goes on' };
}

async function resume(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const held = rollout.held_for_version;
  if (input.evidence && !held)
    throw new AppError('wrong_state', 'Cannot resume with evidence: no new agent version is waiting');
  if (rollout.status === 'running' && !held) return { changed: false, detail: 'it is running already' };
  const facts = await rolloutFacts(services, rollout.id);
  const evidence = input.evidence ?? 'anew';
  const version = held
    ? {
        agent_version: held,
        held_for_version: null,
        held_for_version_at: null,
        builds: JSON.stringify(
          withBuild(rollout.builds, held, evidence, dayOf(rollout, services.clock.now()) + 1),
        ),
      }
    : {};
  const elapsed = elapsedMs(rollout, services.clock.now());
  await change(
    services,
    actor,
    rollout,
    input,
    {
      ...RUNNING,
      ...GATE_CLOSED,
      step_elapsed_ms: elapsed,
      ticking_since: facts.disabled ? null : services.clock.now(),
      ...version,
    },
    held ? { agentVersion: held, evidence } : {},
  );
  // Whose events count has changed: until it is judged again, no verdict lets it widen.
  if (held) await queueExposed(services);
  const sample =
    evidence === 'anew' ? 'the sample of the gates begins anew with it' : 'it adds to the sample so far';
  return {
    changed: true,
    detail: `${facts.disabled ? 'running, but the switch is off: time stands still' : 'running'}${held ? `, with agent version ${held}: ${sample}` : ''}`,
  };
}
