import type { Logger } from 'pino';
import type { KnownBuild } from '../records/worker-builds.ts';
import {
  DEPLOYMENT,
  type Deployment,
  type DeploymentAt,
  isUnknown,
  lastPollOf,
  makeCurrent,
  readDeployment,
} from './deployment.ts';

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
/** A later build whose workers did not ask for work for so long is gone; one that has nothing to do asks every minute. */
const AWAY_MS = 150_000;

export interface CurrentOptions extends DeploymentAt {
  buildId: string;
  log: Logger;
  signal: AbortSignal;
  /** Puts this build behind those that the installation knows, unless it is one of them; answers all, the oldest first. */
  noteBuild(): Promise<KnownBuild[]>;
  /** Told of every change. */
  became(state: WorkerState): void;
  /** Called once when this build serves; again until it succeeds. */
  serves(): Promise<void>;
  /** 0 where no other process can be the later build's. */
  awayMs?: number;
}

/**
 * Makes this build the current one, so that new and upgraded workflows go to it, if it is the latest that this installation
 * knows; tried until it is. Afterwards watches that it stays so: a server that lost what it knew is told again. A later
 * build is left in its place while anybody works for it, however often workers of this one come back.
 */
export async function keepCurrent(options: CurrentOptions): Promise<void> {
  const { signal } = options;
  const startedAtMs = performance.now();
  let state = become(options, undefined, { state: 'starting' });
  const away = { watchedSinceMs: Date.now(), later: undefined as string | undefined };
  let failures = 0;
  let isTold = false;
  while (!signal.aborted) {
    try {
      state = become(options, state, await settle(options, away));
      if (state.state === 'serving' && !isTold) await options.serves();
      isTold ||= state.state === 'serving';
      failures = 0;
    } catch (error) {
      failures += 1;
      if (performance.now() - startedAtMs > KNOWN_WITHIN_MS || !isUnknown(error))
        state = become(options, state, await problemOf(options, error));
    }
    const waitMs = failures > 0 ? Math.min(WAIT_MAX_MS, FIRST_WAIT_MS * 1.5 ** failures) : WAIT_MAX_MS;
    await pause(waitMs, signal);
  }
}

type Change = Pick<WorkerState, 'state' | 'detail' | 'mend'>;

/** Which later build stands before this one, and since when nobody was seen working for it. */
interface Away {
  later: string | undefined;
  watchedSinceMs: number;
}

async function settle(options: CurrentOptions, away: Away): Promise<Change> {
  const known = await options.noteBuild();
  const deployment = await readDeployment(options);
  if (deployment.current === options.buildId) return { state: 'serving' };
  const before = standsBefore(options.buildId, known, deployment);
  if (before && !(await isAway(options, away, before))) {
    const words = deployment.current
      ? `build ${before} is the current one`
      : `build ${before} is a later one`;
    return { state: 'replaced', detail: words };
  }
  await makeCurrent(options, options.buildId);
  return { state: 'serving' };
}

/** The build that this one leaves in its place: a later one, or one that a person chose after this one was known. */
export function standsBefore(
  build: string,
  known: readonly KnownBuild[],
  { current, setByHandAt }: Deployment,
): string | undefined {
  const own = known.findIndex((one) => one.build === build);
  const firstAt = known[own]?.firstAt;
  if (current !== undefined && setByHandAt && firstAt && setByHandAt > firstAt) return current;
  const rival = current ?? known.at(-1)?.build;
  return known.findIndex((one) => one.build === rival) > own ? rival : undefined;
}

/** Whether nobody worked for that build since it is watched, and for long. */
async function isAway(options: CurrentOptions, away: Away, build: string): Promise<boolean> {
  const { awayMs = AWAY_MS } = options;
  if (awayMs === 0) return true;
  if (away.later !== build) Object.assign(away, { later: build, watchedSinceMs: Date.now() });
  const polledMs = (await lastPollOf(options, build))?.getTime() ?? 0;
  return Date.now() - Math.max(polledMs, away.watchedSinceMs) > awayMs;
}

function become(
  { buildId, log, signal, became }: CurrentOptions,
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

async function problemOf(options: CurrentOptions, error: unknown): Promise<Change> {
  const { buildId } = options;
  if (!isUnknown(error)) {
    return {
      state: 'unreached',
      detail: `build ${buildId} could not be made the current one: ${firstLine(error)}`,
      mend: 'Check that Temporal and the database run and what their logs say; this is tried again by itself',
    };
  }
  const builds = await readDeployment(options).then(
    (deployment) => deployment.builds,
    (): string[] => [],
  );
  const oldest = builds.at(-1) ?? '<old build>';
  const holds =
    builds.length > 0 ? ` and holds ${builds.length} others (${builds.slice(0, 5).join(', ')})` : '';
  return {
    state: 'refused',
    detail: `Temporal does not take build ${buildId}${holds}: it keeps at most matching.maxVersionsInDeployment builds, and drops an old one only when nothing polls for it and no workflow is on it. Workflows go on in the older build or wait`,
    mend: `Stop workers of old builds; delete one with: temporal worker deployment delete-version --deployment-name ${DEPLOYMENT} --build-id ${oldest} --skip-drainage; or raise matching.maxVersionsInDeployment. Nothing has to be restarted here`,
  };
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]?.slice(0, 200) ?? '';

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
