import { sleep } from '@temporalio/workflow';

/** Sleeps and says how long that was by the workflow's clock. */
export async function sleeper(duration: string): Promise<number> {
  const startedAt = Date.now();
  await sleep(duration);
  return Date.now() - startedAt;
}
