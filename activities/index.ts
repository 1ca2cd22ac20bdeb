import type { Services } from '../src/services.ts';
import { createAlertActivities } from './alerts.ts';
import { createCallbackActivities } from './callbacks.ts';
import { createCardActivities, type SlackPort } from './cards.ts';
import { createDigestActivities } from './digests.ts';
import { createFollowActivities } from './follow.ts';
import { createRolloutActivities } from './rollouts.ts';

export interface ActivityDeps {
  services: Services;
  slack?: SlackPort;
  webhookSecret?: string;
}

/** Everything the worker can do for the workflows. */
export const createActivities = (deps: ActivityDeps) => ({
  ...createRolloutActivities(deps.services),
  ...createCardActivities(deps),
  ...createFollowActivities(deps),
  ...createDigestActivities(deps),
  ...createAlertActivities(deps),
  ...createCallbackActivities(deps),
});
