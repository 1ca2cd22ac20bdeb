import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { CallbackActivities, CallbackDelivery } from '../activities/callbacks.ts';
import type { AgentCallbackInput } from './agent-callback.contract.ts';

const { deliverCallback } = proxyActivities<CallbackActivities>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '3 days',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, agentCallback);

/** Tells an agent of one change of one of its writes, for three days if need be; apart from cards, which never wait. */
export async function agentCallback(input: AgentCallbackInput): Promise<CallbackDelivery> {
  return deliverCallback(input);
}
