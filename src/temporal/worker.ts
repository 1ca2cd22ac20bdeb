import type { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { WorkflowBundle } from './bundle.ts';
import { DEPLOYMENT, keepCurrent, type WorkerState } from './current-version.ts';

export const TASK_QUEUE = 'portcullis';
const RESTART_AFTER_MS = 1_000;

export interface WorkerOptions {
  address: string;
  namespace: string;
  bundle: WorkflowBundle;
  activities: object;
  client: Client;
  log: Logger;
}

export interface RunningWorker {
  stop(): Promise<void>;
  state(): WorkerState;
}

/** Polls until stopped; a worker that fails (the server gone for long) is started again. */
export function startWorker(options: WorkerOptions): RunningWorker {
  let stopping = false;
  let worker: Worker | undefined;
  const { client, namespace, log } = options;
  const { buildId } = options.bundle;
  let state: WorkerState = { build: buildId, state: 'starting', since: new Date().toISOString() };
  const aborting = new AbortController();
  const keeping = keepCurrent({
    client,
    namespace,
    buildId,
    log,
    signal: aborting.signal,
    became(next) {
      state = next;
    },
  });
  const run = async () => {
    while (!stopping) {
      try {
        const connection = await NativeConnection.connect({ address: options.address });
        try {
          worker = await createWorker(options, connection);
          const running = worker.run();
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
    state: () => state,
    async stop() {
      stopping = true;
      aborting.abort();
      if (worker?.getState() === 'RUNNING') worker.shutdown();
      await Promise.all([running, keeping]);
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

/** Sends the SDK's own log lines of WARN and above through ours. */
export function installTemporalLog(log: Logger): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      log[levels[level]]({ temporal: meta }, message);
    }),
  });
}
