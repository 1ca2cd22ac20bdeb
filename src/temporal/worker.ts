import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { WorkflowBundle } from './bundle.ts';

export const TASK_QUEUE = 'portcullis';
const DEPLOYMENT = 'portcullis';
const RESTART_AFTER_MS = 1_000;

export interface WorkerOptions {
  address: string;
  namespace: string;
  bundle: WorkflowBundle;
  activities: object;
  client: Client;
  log: Logger;
}

/** Polls until stopped; a worker that fails (the server gone for long) is started again. */
export function startWorker(options: WorkerOptions): { stop(): Promise<void>; ready: Promise<void> } {
  let stopping = false;
  let worker: Worker | undefined;
  let markReady: () => void = () => {};
  const ready = new Promise<void>((resolve) => {
    markReady = resolve;
  });
  const run = async () => {
    while (!stopping) {
      try {
        const connection = await NativeConnection.connect({ address: options.address });
        try {
          worker = await createWorker(options, connection);
          const running = worker.run();
          void makeCurrent(options).then(markReady, (error: unknown) =>
            options.log.warn({ err: error }, 'cannot make this build the current one'),
          );
          if (stopping) worker.shutdown();
          await running;
        } finally {
          await connection.close();
        }
      } catch (error) {
        if (!stopping) options.log.warn({ err: error }, 'worker stopped, starting it again');
      }
      if (!stopping) await new Promise((resolve) => setTimeout(resolve, RESTART_AFTER_MS));
    }
  };
  const running = run();
  return {
    ready,
    async stop() {
      stopping = true;
      if (worker?.getState() === 'RUNNING') worker.shutdown();
      await running;
    },
  };
}

function createWorker(
  { namespace, bundle, activities }: WorkerOptions,
  connection: NativeConnection,
): Promise<Worker> {
  return Worker.create({
    connection,
    namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle: { code: bundle.code },
    activities,
    shutdownGraceTime: '2s',
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: DEPLOYMENT, buildId: bundle.buildId },
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  });
}

/** New and upgraded workflows go to this build; the server knows it once it has polled. */
async function makeCurrent({ client, namespace, bundle }: WorkerOptions): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await client.workflowService.setWorkerDeploymentCurrentVersion({
        namespace,
        deploymentName: DEPLOYMENT,
        buildId: bundle.buildId,
        identity: 'portcullis',
        ignoreMissingTaskQueues: true,
      });
      return;
    } catch (error) {
      if (attempt >= 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** Sends the SDK's own log lines of WARN and above through ours. */
export function installTemporalLog(log: Logger): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      log[levels[level]]({ temporal: meta }, message);
    }),
  });
}
