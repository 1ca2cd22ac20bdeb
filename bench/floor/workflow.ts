import { condition, defineUpdate, proxyActivities, setHandler } from '@temporalio/workflow';
import type { FloorActivities } from './activities.ts';

export const answer = defineUpdate<string, [string]>('answer');

const { before, after } = proxyActivities<FloorActivities>({ startToCloseTimeout: '10s' });

/** The floor: what a durable approval costs when the workflow is the authority. Two activities and one Update. */
export async function floor(id: string): Promise<string> {
  let decided: string | undefined;
  setHandler(answer, (verdict) => {
    decided = verdict;
    return verdict;
  });
  await before(id);
  await condition(() => decided !== undefined);
  return after(id);
}
