import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { agentView } from '../src/agents/list.ts';
import { actorFromManifest } from '../src/agents/roles.ts';
import { QUEUES, SHARED_QUEUE } from '../src/domain/queues.ts';
import type { RolloutFacts } from '../src/domain/rollout/phase.ts';
import { AppError } from '../src/errors.ts';
import { rolloutById } from '../src/records/rollout.ts';
import { EVIDENCE } from '../src/rollouts/evidence-choice.ts';
import { rolloutFacts } from '../src/rollouts/facts.ts';
import { askForGate } from '../src/rollouts/gate-moves.ts';
import { completeRollout, enterStep, lockBaseline, type Planned } from '../src/rollouts/moves.ts';
import { makeMove, type PlannedMove, planMove } from '../src/rollouts/next-move.ts';
import { startRollout } from '../src/rollouts/start.ts';
import { runRolloutVerb } from '../src/rollouts/verbs.ts';
import type { Services } from '../src/services.ts';
import { type RolloutInput, rolloutWorkflowId, type VerbSignal } from '../workflows/rollout.contract.ts';
import { asActivityFailure } from './failures.ts';

/** What the rollout workflow may do; each effect is safe to repeat and says whether the row was still as planned. */
export const createRolloutActivities = (services: Services) => ({
  /**
   * Makes the rollout if the workflow was started by hand; one that is there is left as it is, whoever started it. Each
   * rollout has one workflow, which its id names: another one would drive beside it and is refused.
   */
  async ensureRollout(id: string, input: RolloutInput): Promise<void> {
    await asFailure(async () => {
      const { actor: person, ...wish } = checked(inputSchema, input, 'input');
      assertOwnId(activityInfo().workflowExecution?.workflowId, id);
      const known = await services.db.sql
        .selectFrom('rollout')
        .select('id')
        .where('id', '=', id)
        .executeTakeFirst();
      if (known) return;
      // It had one when it began: the store was restored to a time before that.
      if ((input.runs ?? 0) > 0) throw new AppError('not_found', `There is no rollout "${id}" any more`);
      const { manifest } = await agentView(services.db.sql, wish.agent);
      const actor = actorFromManifest(manifest, person, 'temporal', 'temporal workflow start');
      await startRollout(services, actor, { ...wish, id });
    });
  },

  async planMove(id: string): Promise<PlannedMove> {
    const next = await orGone(planMove(services, id));
    const isShared = activityInfo().taskQueue === SHARED_QUEUE && next.move.do !== 'end';
    return isShared ? { ...next, move: { do: 'move-on', taskQueue: QUEUES.rollouts } } : next;
  },
  makeMove: (next: PlannedMove): Promise<boolean> => orGone(makeMove(services, next)),

  // Of runs of before `Patch.AskForMove`.
  async readRollout(id: string): Promise<RolloutFacts> {
    // A history keeps for good what it is told: no word of a person.
    const { paused: _, ...facts } = await orGone(rolloutFacts(services, id));
    return facts;
  },
  lockBaseline: (planned: Planned): Promise<boolean> => orGone(lockBaseline(services, planned)),
  askForGate: (planned: Planned): Promise<boolean> => orGone(askForGate(services, planned)),
  enterStep: (planned: Planned, stepIndex: number): Promise<boolean> =>
    orGone(enterStep(services, planned, stepIndex)),
  completeRollout: (planned: Planned): Promise<boolean> => orGone(completeRollout(services, planned)),

  /** A verb that came as a Temporal signal, with the standing its actor has in the manifest. Returns why it was refused. */
  async runVerb(
    id: string,
    verb: 'rollback' | 'pause' | 'resume',
    signal: VerbSignal,
  ): Promise<string | undefined> {
    try {
      const { actor: person, reason, segment, evidence } = checked(signalSchema, signal, 'signal');
      const rollout = await rolloutById(services.db.sql, id);
      const { manifest } = await agentView(services.db.sql, rollout.agent);
      const actor = actorFromManifest(manifest, person, 'temporal', `temporal signal ${verb}`);
      await runRolloutVerb(services, actor, { id, verb, reason, segment, evidence });
      return undefined;
    } catch (error) {
      if (error instanceof AppError && !error.spec.retry) return error.message;
      throw error;
    }
  },
});

/** @throws AppError `invalid_input` */
function assertOwnId(workflowId: string | undefined, rolloutId: string): void {
  const own = rolloutWorkflowId(rolloutId);
  if (workflowId !== own)
    throw new AppError(
      'invalid_input',
      `A rollout's workflow has the id "${own}", not "${workflowId}": start it with --workflow-id ${own}`,
    );
}

const text = z
  .string()
  .min(1)
  .max(1_000)
  .refine((value) => !value.includes('\0'), 'must not hold a NUL');
const inputSchema = z.object({
  agent: text,
  release: z.coerce.string(),
  actor: text,
  reason: text,
  noneYet: text.optional(),
});
const signalSchema = z.object({
  actor: text,
  reason: text,
  segment: text.optional(),
  evidence: z.enum(EVIDENCE).optional(),
});

/** What somebody typed into Temporal's own CLI is input like any other. @throws AppError `invalid_input` */
function checked<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || what}: ${issue.message}`);
  throw new AppError('invalid_input', `Cannot read the ${what}: ${problems.join('; ')}`);
}

export type { PlannedMove };
export type RolloutActivities = ReturnType<typeof createRolloutActivities>;

/** A rollout that a restored store does not have ends its workflow. */
const orGone = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw asActivityFailure(error);
  });

/** What will not change by trying again ends the workflow with its reason. */
async function asFailure(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof AppError && !error.spec.retry) {
      throw ApplicationFailure.nonRetryable(error.message, error.code);
    }
    throw error;
  }
}
