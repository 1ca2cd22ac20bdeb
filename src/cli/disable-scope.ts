import { setTimeout as sleep } from 'node:timers/promises';
import type { DisableAnswer, InFlight } from '../records/stop.ts';
import type { Cli } from './cli.ts';
import { ApiClient, NoAnswer } from './client.ts';
import { inDatabase, knownDatabase } from './direct.ts';
import { CliError } from './failure.ts';
import type { WireAction } from './wire.ts';

/** A switch that lives answers at once; where none is, nobody waits. */
const SWITCH_THERE_WITHIN_MS = 500;
/** It ends those that hold the gate after one second, and says so after three. */
const SWITCH_WITHIN_MS = 5_000;
/** How long the API may take before the database is asked itself. */
export const API_WITHIN_MS = 2_000;
/** Without a database to fall back on there is nothing better than to wait. */
const API_ALONE_MS = 30_000;
const CLOSING_ROUNDS_MAX = 10;
const DRAIN_MS_MAX = 90_000;
const DRAIN_POLL_MS = 500;

export interface DisableInput {
  scope: string;
  reason: string;
  reads: boolean;
}

export interface DisableOptions {
  direct: boolean;
  drain: boolean;
}

/** What was answered, by which way, and with `drain` what of it is still under way. */
export interface Disabled extends DisableAnswer {
  by: 'switch' | 'api' | 'database';
  stillInFlight?: InFlight[];
}

/** Drops the gate: by the switch's own process, else through the API, else through the database itself. */
export async function disableScope(
  cli: Cli,
  input: DisableInput,
  { direct, drain }: DisableOptions,
): Promise<Disabled> {
  if (direct) return disableDirectly(cli, input, drain);
  const fallback = await knownDatabase(cli);
  try {
    const disabled = await disableByService(cli, input, fallback ? API_WITHIN_MS : API_ALONE_MS);
    return drain && disabled.state === 'closed'
      ? { ...disabled, stillInFlight: await drainByApi(cli, disabled) }
      : disabled;
  } catch (error) {
    if (!isUnreachable(error)) throw error;
    if (fallback) {
      cli.note(`${error.message}\nGoing by ${fallback.by}.`);
      return disableDirectly(cli, input, drain);
    }
    if (!(error instanceof NoAnswer)) throw error;
    throw new CliError('unreachable', error.message, {
      hint: 'Set DATABASE_URL, or run it in the folder where the service was started (PORTCULLIS_DATA): the switch then works without the service',
      cause: error,
    });
  }
}

/**
 * By the switch if it is there, else by the API. A switch that is late is waited for beside the API: where the machine was
 * busy for a moment, it answers long before an API that stands still. It is the same stop, whoever is first.
 */
async function disableByService(cli: Cli, input: DisableInput, apiWithinMs: number): Promise<Disabled> {
  const over = new AbortController();
  const { signal } = over;
  const there = findSwitch(cli, apiWithinMs, signal);
  try {
    const found = await Promise.race([there, sleep(SWITCH_THERE_WITHIN_MS, 'late' as const, { ref: false })]);
    const bySwitch = found === 'late' ? undefined : await disableBySwitch(found, input, signal);
    if (bySwitch) return bySwitch;
    const late = found === 'late' ? there.then((api) => disableBySwitch(api, input, signal)) : undefined;
    return await firstOf(late, putDisabled(cli.api, input, apiWithinMs, signal));
  } finally {
    over.abort();
  }
}

/** What the API refuses is refused at once; where it is not reached, the switch may still answer. */
function firstOf(
  bySwitch: Promise<Disabled | undefined> | undefined,
  byApi: Promise<DisableAnswer>,
): Promise<Disabled> {
  return new Promise((resolve, reject) => {
    bySwitch?.then((answer) => answer && resolve(answer), reject);
    byApi.then(
      (answer) => resolve({ ...answer, by: 'api' }),
      (error: unknown) => {
        if (bySwitch === undefined || !isUnreachable(error)) reject(error);
        else bySwitch.then((answer) => answer === undefined && reject(error), reject);
      },
    );
  });
}

/** `undefined`: no switch of Portcullis answers there. Another service may listen there: it is sent no token. */
async function findSwitch(cli: Cli, withinMs: number, signal: AbortSignal): Promise<ApiClient | undefined> {
  const { switchUrl, ...connection } = cli.connection;
  if (switchUrl === undefined) return undefined;
  const api = new ApiClient({ ...connection, url: switchUrl.replace(/\/+$/, '') });
  try {
    const health = { anonymous: true, timeoutMs: withinMs, signal };
    const { service } = await api.get<{ service?: string }>('/healthz', undefined, health);
    return service === 'portcullis switch' ? api : undefined;
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

/** `undefined`: there is none, or it cannot. What it refuses is refused. */
async function disableBySwitch(
  api: ApiClient | undefined,
  input: DisableInput,
  signal: AbortSignal,
): Promise<Disabled | undefined> {
  if (api === undefined) return undefined;
  try {
    return { ...(await putDisabled(api, input, SWITCH_WITHIN_MS, signal)), by: 'switch' };
  } catch (error) {
    if (isUnreachable(error)) return undefined;
    throw error;
  }
}

const isUnreachable = (error: unknown): error is CliError =>
  error instanceof CliError && error.exit === 'unreachable';

async function putDisabled(
  api: ApiClient,
  { scope, reason, reads }: DisableInput,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<DisableAnswer> {
  const json = { disabled: true, reason, reads };
  return (await api.request<DisableAnswer>('PUT', `/v1/switches/${scope}`, { json, timeoutMs, signal })).body;
}

/** Until each is completed or the last credential has expired. */
async function drainByApi(cli: Cli, { inFlight, credentialsUntil }: DisableAnswer): Promise<InFlight[]> {
  const until = performance.now() + DRAIN_MS_MAX;
  for (let left = inFlight; ; await sleep(DRAIN_POLL_MS)) {
    const states = await Promise.all(
      left.map(({ action }) => cli.api.get<WireAction>(`/v1/actions/${encodeURIComponent(action)}`)),
    );
    left = left.filter((_, at) => states[at]?.state === 'executing');
    const expired = credentialsUntil === undefined || cli.io.now() > new Date(credentialsUntil);
    if (left.length === 0 || expired) return [];
    if (performance.now() >= until) return left;
  }
}

/**
 * Through the database. `closing` is not left alone: the service may be gone, and would else go on closing, so this process
 * keeps its place until the gate is closed. Asked again, it is the same stop.
 */
function disableDirectly(cli: Cli, input: DisableInput, drain: boolean): Promise<Disabled> {
  const absent = {
    message: 'Cannot disable directly: DATABASE_URL is not set, and no data folder of this service is here',
    hint: 'Set DATABASE_URL, run it where the service was started (PORTCULLIS_DATA), or go by the API',
  };
  return inDatabase(cli, absent, async ({ db, clock, actor }) => {
    const { pullSwitch } = await import('../switches/disable.ts');
    const { waitDrained } = await import('../switches/drain.ts');
    let answer = await pullSwitch({ db, clock }, actor, input);
    for (let round = 1; answer.state === 'closing' && round < CLOSING_ROUNDS_MAX; round++) {
      const holders = answer.heldBy.map(({ pid, what }) => `${what} (backend ${pid})`).join(', ');
      cli.note(
        `Closing: no further write passes, but it is held by ${holders || 'an unknown backend'}. Trying on.`,
      );
      answer = await pullSwitch({ db, clock }, actor, input);
    }
    const disabled: Disabled = { ...answer, by: 'database' };
    if (!drain || answer.state === 'closing') return disabled;
    // It reads these two and nothing else of the services.
    const services = { db, clock };
    return { ...disabled, stillInFlight: await waitDrained(services, answer.inFlight, DRAIN_MS_MAX) };
  });
}
