import type { Services } from '../src/services.ts';
import { createAlertActivities, type Pager } from './alerts.ts';
import { createCallbackActivities } from './callbacks.ts';
import { createCardActivities, type SlackPort } from './cards.ts';
import { createDigestActivities } from './digests.ts';
import { createFollowActivities } from './follow.ts';
import { createReviewActivities } from './reviews.ts';
import { createRolloutActivities } from './rollouts.ts';

export interface ActivityDeps {
  services: Services;
  slack?: SlackPort;
  webhookSecret?: string;
  pager?: Pager;
  /** What the worker does at once of each kind. */
  slots: Readonly<Record<'alerts' | 'callbacks', number>>;
}

/** Of the slots of its kind that one receiver may take: four that hang at once take all, until their breakers open. */
const PART_OF_ONE = 4;
const partOf = (slots: number): number => Math.floor(slots / PART_OF_ONE);

/** Everything the worker can do for the workflows. */
export const createActivities = (deps: ActivityDeps) => ({
  ...createRolloutActivities(deps.services),
  ...createCardActivities(deps),
  ...createFollowActivities(deps),
  ...createDigestActivities(deps),
  ...createReviewActivities(deps),
  ...createAlertActivities({ ...deps, atOnce: partOf(deps.slots.alerts) }),
  ...createCallbackActivities({ ...deps, atOnce: partOf(deps.slots.callbacks) }),
});
