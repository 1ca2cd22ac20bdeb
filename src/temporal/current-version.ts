import { type Client, isGrpcServiceError } from '@temporalio/client';
import type { Logger } from 'pino';

export const DEPLOYMENT = 'portcullis';

/** What this process's worker does for workflows, and what to do when it does nothing. */
export interface WorkerState {
  /** The build of the workflows' code that it runs. */
  build: string;
  /**
   * `serving`: it is the current build. `replaced`: another build is. `refused`: Temporal does not take the build yet,
   * `unreached`: it does not answer; it is asked again, however long that takes. `starting`: not known yet.
   */
  state: 'starting' | 'serving' | 'replaced' | 'refused' | 'unreached';
  since: string;
  detail?: string;
  mend?: string;
}

const FIRST_WAIT_MS = 200;
const WAIT_MAX_MS = 15_000;
/** A new build is known a moment after its first poll; until then that it is not says nothing. */
const KNOWN_WITHIN_MS = 10_000;
const CALL_MS = 10_000;
const NOT_FOUND = 5;

interface Options {
  client: Client;
  namespace: string;
  buildId: string;
  log: Logger;
  signal: AbortSignal;
  /** Told of every change. */
  became(state: WorkerState): void;
}

/**
 * Makes this build the current one, so that new and upgraded workflows go to it; tried until it is. Afterwards watches
 * that there is a current one: a server that lost what it knew is told again. A later build is left in its place.
 */
export async function keepCurrent(options: Options): Promise<void> {
  const { signal } = options;
  const startedAtMs = performance.now();
  let state = become(options, undefined, { state: 'starting' });
  let wasCurrent = false;
  let failures = 0;
  while (!signal.aborted) {
    try {
      const current = wasCurrent ? await currentBuild(options) : undefined;
      if (!current) await makeCurrent(options);
      const isOther = current !== undefined && current !== options.buildId;
      const detail = isOther ? { detail: `build ${current} is the current one` } : {};
      state = become(options, state, { state: isOther ? 'replaced' : 'serving', ...detail });
      wasCurrent = true;
      failures = 0;
    } catch (error) {
      failures += 1;
      if (performance.now() - startedAtMs > KNOWN_WITHIN_MS || !isUnknownBuild(error))
        state = become(options, state, await problemOf(options, error));
    }
    const waitMs = failures > 0 ? Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 1.5 ** failures) : WAIT_MAX_MS;
    await pause(waitMs, signal);
  }
}

type Change = Pick<WorkerState, 'state' | 'detail' | 'mend'>;

function become(
  { buildId, log, signal, became }: Options,
  before: WorkerState | undefined,
  change: Change,
): WorkerState {
  if (before?.state === change.state && before.detail === change.detail) return before;
  const state = { build: buildId, since: new Date().toISOString(), ...change };
  if (signal.aborted) return state;
  if (change.mend) log.warn(state, 'this build does not serve: it is tried again until it does');
  else if (before?.mend) log.info(state, 'this build serves now');
  became(state);
  return state;
}

const isUnknownBuild = (error: unknown): boolean => isGrpcServiceError(error) && error.code === NOT_FOUND;

async function problemOf(options: Options, error: unknown): Promise<Change> {
  if (!isUnknownBuild(error)) {
    const mend = 'Check that Temporal runs and what its log says; this is tried again by itself';
    return {
      state: 'unreached',
      detail: `Temporal does not make build ${options.buildId} the current one: ${firstLine(error)}`,
      mend,
    };
  }
  const others = await otherBuilds(options).catch((): string[] => []);
  const oldest = others.at(-1) ?? '<old build>';
  const holds =
    others.length > 0 ? ` and holds ${others.length} others (${others.slice(0, 5).join(', ')})` : '';
  return {
    state: 'refused',
    detail: `Temporal does not take build ${options.buildId}${holds}: it keeps at most matching.maxVersionsInDeployment builds, and drops an old one only when nothing polls for it and no workflow is on it. Workflows go on in the older build or wait`,
    mend: `Stop workers of old builds; delete one with: temporal worker deployment delete-version --deployment-name ${DEPLOYMENT} --build-id ${oldest} --skip-drainage; or raise matching.maxVersionsInDeployment. Nothing has to be restarted here`,
  };
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? '';

async function makeCurrent({ client, namespace, buildId }: Options): Promise<void> {
  await within(client, () =>
    client.workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName: DEPLOYMENT,
      buildId,
      identity: 'portcullis',
      ignoreMissingTaskQueues: true,
    }),
  );
}

const describe = ({ client, namespace }: Options) =>
  within(client, () =>
    client.workflowService.describeWorkerDeployment({ namespace, deploymentName: DEPLOYMENT }),
  );

/** Undefined: there is none, or no such deployment any more. */
async function currentBuild(options: Options): Promise<string | undefined> {
  try {
    const { workerDeploymentInfo } = await describe(options);
    return workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId ?? undefined;
  } catch (error) {
    if (isUnknownBuild(error)) return undefined;
    throw error;
  }
}

/** Newest first. */
async function otherBuilds(options: Options): Promise<string[]> {
  const { workerDeploymentInfo } = await describe(options);
  const current = workerDeploymentInfo?.routingConfig?.currentDeploymentVersion?.buildId;
  return (workerDeploymentInfo?.versionSummaries ?? [])
    .map((summary) => ({
      build: summary.deploymentVersion?.buildId ?? '',
      madeAt: Number(summary.createTime?.seconds ?? 0),
    }))
    .sort((a, b) => Number(b.build === current) - Number(a.build === current) || b.madeAt - a.madeAt)
    .map(({ build }) => build);
}

const within = <T>(client: Client, call: () => Promise<T>): Promise<T> =>
  client.connection.withDeadline(Date.now() + CALL_MS, call);

function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
