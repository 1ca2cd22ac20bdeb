import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyLocalActivities,
  setHandler,
  setWorkflowOptions,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { DigestActivities } from '../activities/digests.ts';
import { type ApprovalDigestInput, changedSignal } from './approval-digest.contract.ts';

/** What is answered or joins at once is shown together. */
const SETTLE_MS = 5_000;
/** However soon something is due, the server's clock and the store's may differ by this. */
const WAIT_MIN_MS = 100;

const { sendDigest } = proxyLocalActivities<DigestActivities>({
  startToCloseTimeout: '30s',
  localRetryThreshold: '10s',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, approvalDigest);

/** Tells of an agent's low risks together while some wait to be told. The record says what is due. */
export async function approvalDigest({ agent }: ApprovalDigestInput): Promise<void> {
  let told = 0;
  setHandler(changedSignal, () => {
    told += 1;
  });
  for (;;) {
    const seen = told;
    const { final, waitMs } = await sendDigest(agent);
    if (told === seen) {
      if (final) {
        await condition(allHandlersFinished);
        return;
      }
      if (workflowInfo().continueAsNewSuggested) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof approvalDigest>({ agent });
      }
      await condition(() => told !== seen, Math.max(WAIT_MIN_MS, waitMs));
    }
    if (told !== seen) await sleep(SETTLE_MS);
  }
}
