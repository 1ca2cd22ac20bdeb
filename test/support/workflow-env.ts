import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { type ActivityInboundCallsInterceptor, Worker } from '@temporalio/worker';
import type { ManualClock } from '../../src/clock.ts';
import { workflowBundle } from '../../src/temporal/bundle.ts';

interface SkippingOptions {
  /** One of its own where there is none. */
  taskQueue?: string;
  /** Of another version. */
  bundle?: { code: string };
  /** Nothing is remembered: every task replays its run from the start. */
  replaysAlways?: boolean;
}

/**
 * A worker on the time-skipping server whose activities see the server's time: before each one the services' clock
 * moves to where the environment is.
 */
export async function createSkippingWorker(
  environment: TestWorkflowEnvironment,
  clock: ManualClock,
  activities: object,
  { taskQueue = randomUUID(), bundle, replaysAlways = false }: SkippingOptions = {},
): Promise<{ worker: Worker; taskQueue: string }> {
  const inbound: ActivityInboundCallsInterceptor = {
    async execute(input, next) {
      clock.moveTo(new Date(await environment.currentTimeMs()));
      return next(input);
    },
  };
  const { code } = bundle ?? (await workflowBundle());
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle: { code },
    activities,
    ...(replaysAlways ? { maxCachedWorkflows: 0 } : {}),
    interceptors: { activity: [() => ({ inbound })] },
  });
  return { worker, taskQueue };
}
