import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { ReviewActivities } from '../activities/reviews.ts';

const { makeReviews, postReviews } = proxyActivities<ReviewActivities>({
  startToCloseTimeout: '2m',
  retry: { initialInterval: '5s', backoffCoefficient: 2, maximumInterval: '10m' },
  scheduleToCloseTimeout: '6d',
});

setWorkflowOptions({ versioningBehavior: 'AUTO_UPGRADE' }, weeklyReview);

/** Makes the page of the last week that is over and shows it to people. The store holds it; this holds nothing. */
export async function weeklyReview(): Promise<void> {
  await makeReviews();
  await postReviews();
}
