import {
  condition,
  continueAsNew,
  proxyActivities,
  setHandler,
  setWorkflowOptions,
  workflowInfo,
} from '@temporalio/workflow';
import type { RolloutActivities } from '../../activities/rollouts.ts';
import { changedSignal, type RolloutInput, rolloutIdOf } from '../../workflows/rollout.contract.ts';
import { moveAsBefore } from '../../workflows/rollout-as-before.ts';

const read = proxyActivities<RolloutActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});
const write = proxyActivities<RolloutActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, rollout);

/** The rollout's workflow as the version before had it, which decided each move itself. */
export async function rollout(input: RolloutInput): Promise<void> {
  const id = rolloutIdOf(workflowInfo().workflowId);
  let changed = false;
  setHandler(changedSignal, () => {
    changed = true;
  });
  await write.ensureRollout(id, input);
  while (!workflowInfo().continueAsNewSuggested) {
    changed = false;
    const facts = await read.readRollout(id);
    const move = moveAsBefore(facts);
    const planned = { id, revision: facts.revision, segments: facts.segments };
    if (move.do === 'end') return;
    if (move.do === 'wait') await condition(() => changed, move.ms);
    if (move.do === 'lock-baseline') await write.lockBaseline(planned);
    if (move.do === 'ask-person') await write.askForGate(planned);
    if (move.do === 'enter-step') await write.enterStep(planned, move.stepIndex);
    if (move.do === 'complete') await write.completeRollout(planned);
  }
  await continueAsNew<typeof rollout>({ ...input, runs: (input.runs ?? 0) + 1 });
}
