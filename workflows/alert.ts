import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { AlertActivities, AlertDelivery } from '../activities/alerts.ts';
import type { AlertInput } from './alert.contract.ts';

const { deliverAlert } = proxyActivities<AlertActivities>({
  startToCloseTimeout: '1m',
  scheduleToCloseTimeout: '3 days',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '5m' },
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, alert);

/** Brings one alert to people and systems; what was delivered is not delivered again. */
export async function alert({ alertId }: AlertInput): Promise<AlertDelivery> {
  return deliverAlert(alertId);
}
