import { type Client, isGrpcServiceError } from '@temporalio/client';
import { QUEUES, SHARED_QUEUE } from '../domain/queues.ts';

/** The name under which Temporal keeps the builds of our workflows' code. */
export const DEPLOYMENT = 'portcullis';
const IDENTITY = 'portcullis';
const NOT_FOUND = 5;
const FAILED_PRECONDITION = 9;
const WORKFLOW_QUEUE = 1;

export interface DeploymentAt {
  client: Client;
  namespace: string;
}

/** What Temporal knows of our builds. */
export interface Deployment {
  /** Absent: no build is the current one. */
  current?: string;
  /** When somebody who is none of our workers made it the current one. */
  setByHandAt?: Date;
  /** All of them, the current one first, then the newest. */
  builds: string[];
}

/** Temporal does not know it, or not yet: the build, the deployment, or anything of the kind. */
export const isUnknown = (error: unknown): boolean =>
  isGrpcServiceError(error) &&
  (error.code === NOT_FOUND ||
    (error.code === FAILED_PRECONDITION && /no Worker Deployment/.test(error.details)));

export async function readDeployment(at: DeploymentAt): Promise<Deployment> {
  const { client, namespace } = at;
  try {
    const { workerDeploymentInfo: info } = await client.workflowService.describeWorkerDeployment({
      namespace,
      deploymentName: DEPLOYMENT,
    });
    const current = info?.routingConfig?.currentDeploymentVersion?.buildId || undefined;
    const changed = info?.routingConfig?.currentVersionChangedTime;
    const isByHand = current !== undefined && info?.lastModifierIdentity !== IDENTITY && changed;
    const builds = (info?.versionSummaries ?? [])
      .map((summary) => ({
        build: summary.deploymentVersion?.buildId ?? '',
        madeAt: Number(summary.createTime?.seconds ?? 0),
      }))
      .sort((a, b) => Number(b.build === current) - Number(a.build === current) || b.madeAt - a.madeAt)
      .map(({ build }) => build);
    return { current, builds, ...(isByHand ? { setByHandAt: dateOf(changed) } : {}) };
  } catch (error) {
    if (isUnknown(error)) return { builds: [] };
    throw error;
  }
}

/** @throws the server's answer: `isUnknown` where no worker of the build has polled yet, or the server takes no more builds */
export async function makeCurrent({ client, namespace }: DeploymentAt, buildId: string): Promise<void> {
  await client.workflowService.setWorkerDeploymentCurrentVersion({
    namespace,
    deploymentName: DEPLOYMENT,
    buildId,
    identity: IDENTITY,
    ignoreMissingTaskQueues: true,
  });
}

/** When a worker of the build last asked for work; a worker that has nothing to do asks every minute. */
export async function lastPollOf(at: DeploymentAt, build: string): Promise<Date | undefined> {
  const polls = await Promise.all(
    [...Object.values(QUEUES), SHARED_QUEUE].map((queue) => pollersOf(at, queue)),
  );
  const times = polls
    .flat()
    .filter((poller) => poller.build === build)
    .map((poller) => poller.at.getTime());
  return times.length > 0 ? new Date(Math.max(...times)) : undefined;
}

/** Who asked a queue for workflows lately, by build. */
export async function pollersOf(
  { client, namespace }: DeploymentAt,
  queue: string,
): Promise<{ build: string; at: Date }[]> {
  const { pollers } = await client.workflowService.describeTaskQueue({
    namespace,
    taskQueue: { name: queue },
    taskQueueType: WORKFLOW_QUEUE,
  });
  return (pollers ?? []).map(({ deploymentOptions, lastAccessTime }) => ({
    build: deploymentOptions?.buildId || 'no build',
    at: dateOf(lastAccessTime),
  }));
}

type Timestamp = { seconds?: unknown; nanos?: number | null } | null | undefined;

const dateOf = (at: Timestamp): Date => new Date(Number(at?.seconds ?? 0) * 1_000 + (at?.nanos ?? 0) / 1e6);
