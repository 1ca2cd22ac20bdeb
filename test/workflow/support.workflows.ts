import type { Duration } from '@temporalio/common';
import { sleep } from '@temporalio/workflow';

/** Sleeps and says how long that was by the workflow's clock. */
export async function sleeper(duration: Duration): Promise<number> {
  const startedAt = Date.now();
  await sleep(duration);
  return Date.now() - startedAt;
}
