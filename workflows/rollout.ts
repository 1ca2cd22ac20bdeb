import {
  allHandlersFinished,
  condition,
  makeContinueAsNewFunc,
  patched,
  proxyActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { RolloutActivities } from '../activities/rollouts.ts';
import { Patch } from './patches.ts';
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
import { makeAsBefore, planAsBefore } from './rollout-as-before.ts';

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
 * Carries one release through its days. The row in Postgres is the truth: the workflow asks for the next move, has it made,
 * and waits for a signal or its time. What the moves are, and when, it does not know.
 */
export async function rollout(input: RolloutInput): Promise<void> {
  const id = rolloutIdOf(workflowInfo().workflowId);
  let taskQueue: string | undefined;
  let changed = false;
  let move = 'begin';
  let refused: string | undefined;
  setHandler(nextMoveQuery, () => ({ move, ...(refused ? { refused } : {}) }));
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
    const asks = patched(Patch.AskForMove);
    const next = asks ? await read.planMove(id) : await planAsBefore(id);
    move = next.move.do;
    if (next.move.do === 'move-on') {
      taskQueue = next.move.taskQueue;
      break;
    }
    if (next.move.do === 'end') {
      await condition(allHandlersFinished);
      return;
    }
    if (next.move.do === 'wait') await condition(() => changed, next.move.ms);
    else await (asks ? write.makeMove(next) : makeAsBefore(next));
  }
  await condition(allHandlersFinished);
  await makeContinueAsNewFunc<typeof rollout>({ taskQueue })({ ...input, runs: (input.runs ?? 0) + 1 });
}
