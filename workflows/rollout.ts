import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { RolloutActivities } from '../activities/rollouts.ts';
import { type Move, nextMove, type RolloutFacts } from '../src/domain/rollout/phase.ts';
import {
  changedSignal,
  nextMoveQuery,
  pauseSignal,
  type RolloutInput,
  resumeSignal,
  rollbackSignal,
  rolloutIdOf,
  type VerbSignal,
} from './rollout.contract.ts';

const read = proxyActivities<RolloutActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});
// Every effect compares what it was planned from with the row, so repeating one is harmless.
const write = proxyActivities<RolloutActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, rollout);

/**
 * Carries one release through its days. The row in Postgres is the truth: the workflow reads it, asks the domain for
 * the next move, makes it, and waits for a signal or its time.
 */
export async function rollout(input: RolloutInput): Promise<void> {
  const id = rolloutIdOf(workflowInfo().workflowId);
  let changed = false;
  let move: Move = { do: 'wait', ms: 0 };
  let refused: string | undefined;
  setHandler(nextMoveQuery, () => ({ move: move.do, ...(refused ? { refused } : {}) }));
  setHandler(changedSignal, () => {
    changed = true;
  });
  const run = (verb: 'rollback' | 'pause' | 'resume') => async (signal: VerbSignal) => {
    await started;
    refused = await write.runVerb(id, verb, signal);
    changed = true;
  };
  const started = write.ensureRollout(id, input);
  setHandler(rollbackSignal, run('rollback'));
  setHandler(pauseSignal, run('pause'));
  setHandler(resumeSignal, run('resume'));
  await started;
  while (!workflowInfo().continueAsNewSuggested) {
    changed = false;
    const facts = await read.readRollout(id);
    move = nextMove(facts);
    if (move.do === 'end') {
      await condition(allHandlersFinished);
      return;
    }
    if (move.do === 'wait') await condition(() => changed, move.ms);
    else await make(id, move, facts);
  }
  await condition(allHandlersFinished);
  await continueAsNew<typeof rollout>({ ...input, runs: (input.runs ?? 0) + 1 });
}

async function make(id: string, move: Move, { revision, segments }: RolloutFacts): Promise<void> {
  const planned = { id, revision, segments };
  if (move.do === 'lock-baseline') await write.lockBaseline(planned);
  if (move.do === 'ask-person') await write.askForGate(planned);
  if (move.do === 'enter-step') await write.enterStep(planned, move.stepIndex);
  if (move.do === 'complete') await write.completeRollout(planned);
}
