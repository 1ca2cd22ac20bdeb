import type { Client } from '@temporalio/client';
import {
  DefaultLogger,
  makeTelemetryFilterString,
  NativeConnection,
  Runtime,
  Worker,
} from '@temporalio/worker';
import type { Logger } from 'pino';
import { QUEUES, type QueueClass, SHARED_QUEUE } from '../domain/queues.ts';
import type { WorkflowBundle } from './bundle.ts';
import type { TemporalAccess } from './connection.ts';
import { type CurrentOptions, keepCurrent, type WorkerState } from './current-version.ts';
import { DEPLOYMENT } from './deployment.ts';

const RESTART_AFTER_MS = 1_000;
/** How many requests for work of a kind wait at the server for each queue. */
const POLLERS = 5;
/** Of the queue of versions before: what began there ends, and rollouts move on. */
const SHARED_SLOTS = 20;
/** Workflows kept in memory for each slot; the others are replayed when they are needed. */
const CACHED_PER_SLOT = 10;

/** How much of each kind of work is done at once. */
export type Slots = Readonly<Record<QueueClass, number>>;

export interface WorkerOptions extends Pick<CurrentOptions, 'noteBuild' | 'serves' | 'awayMs'> {
  access: TemporalAccess;
  namespace: string;
  bundle: WorkflowBundle;
  activities: object;
  slots: Slots;
  client: Client;
  log: Logger;
}

export interface RunningWorker {
  stop(): Promise<void>;
  state(): WorkerState;
}

/** Polls every queue until stopped; a worker that fails (the server gone for long) is started again with the others. */
export function startWorker(options: WorkerOptions): RunningWorker {
  let stopping = false;
  let workers: readonly Worker[] = [];
  const { client, namespace, log, noteBuild, serves, awayMs } = options;
  const { buildId } = options.bundle;
  let state: WorkerState = { build: buildId, state: 'starting', since: new Date().toISOString() };
  const aborting = new AbortController();
  const keeping = keepCurrent({
    client,
    namespace,
    buildId,
    log,
    signal: aborting.signal,
    noteBuild,
    serves,
    awayMs,
    became(next) {
      const isTurn = isRefused(next) !== isRefused(state);
      state = next;
      if (isTurn) shutDown(workers);
    },
  });
  const run = async () => {
    while (!stopping) {
      try {
        const connection = await NativeConnection.connect(options.access);
        try {
          const refused = isRefused(state);
          workers = await createWorkers(options, connection, refused ? ONE_QUEUE : allQueues(options.slots));
          const running = runAll(workers);
          if (stopping || refused !== isRefused(state)) shutDown(workers);
          await running;
        } finally {
          await connection.close();
        }
      } catch (error) {
        if (!stopping) log.warn({ err: error }, 'worker stopped, starting it again');
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
      shutDown(workers);
      await Promise.all([running, keeping]);
    },
  };
}

const isRefused = ({ state }: WorkerState): boolean => state === 'refused';

interface PolledQueue {
  queue: string;
  slots: number;
}

/** One worker for each queue, with slots of its own: what fills one leaves the others free. */
const allQueues = (slots: Slots): PolledQueue[] => [
  ...Object.entries(QUEUES).map(([name, queue]) => ({ queue, slots: slots[name as QueueClass] })),
  { queue: SHARED_QUEUE, slots: SHARED_SLOTS },
];

/**
 * Where a build is that Temporal does not take: the deployment answers about one poll of an unknown build a second, and
 * nobody else when there are more.
 */
const ONE_QUEUE: readonly PolledQueue[] = [{ queue: SHARED_QUEUE, slots: 2 }];

async function createWorkers(
  options: WorkerOptions,
  connection: NativeConnection,
  queues: readonly PolledQueue[],
): Promise<Worker[]> {
  const made = await Promise.allSettled(
    queues.map(({ queue, slots }) => createWorker(options, connection, queue, slots)),
  );
  const workers = made.filter((one) => one.status === 'fulfilled').map((one) => one.value);
  const failed = made.find((one) => one.status === 'rejected');
  if (!failed) return workers;
  // What was made holds the connection until it has run.
  await Promise.all(workers.map((worker) => worker.runUntil(async () => {})));
  throw failed.reason;
}

function createWorker(
  { namespace, bundle, activities }: WorkerOptions,
  connection: NativeConnection,
  taskQueue: string,
  slots: number,
): Promise<Worker> {
  const pollers = { type: 'simple-maximum', maximum: Math.min(POLLERS, slots) } as const;
  return Worker.create({
    connection,
    namespace,
    taskQueue,
    workflowBundle: { code: bundle.code },
    activities,
    maxConcurrentWorkflowTaskExecutions: slots,
    maxConcurrentLocalActivityExecutions: slots,
    maxConcurrentActivityTaskExecutions: slots,
    maxCachedWorkflows: slots * CACHED_PER_SLOT,
    workflowTaskPollerBehavior: pollers,
    activityTaskPollerBehavior: pollers,
    shutdownGraceTime: '2s',
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName: DEPLOYMENT, buildId: bundle.buildId },
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  });
}

/** Until all have stopped; one that fails takes the others along. */
async function runAll(workers: readonly Worker[]): Promise<void> {
  const runs = await Promise.allSettled(
    workers.map(async (worker) => {
      try {
        await worker.run();
      } finally {
        shutDown(workers);
      }
    }),
  );
  const failed = runs.find((run) => run.status === 'rejected');
  if (failed) throw failed.reason;
}

function shutDown(workers: readonly Worker[]): void {
  for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
}

/** Sends the log lines of the SDK, and of its native core, of WARN and above through ours. */
export function installTemporalLog(log: Logger): void {
  const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'debug', WARN: 'warn', ERROR: 'error' } as const;
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      log[levels[level]]({ temporal: meta }, message);
    }),
    telemetryOptions: {
      logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'ERROR' }), forward: {} },
    },
  });
}
