import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { SERVICE_ROLES, type ServiceRole } from '../../src/config/roles.ts';
import {
  freePort,
  type SupervisedProcess,
  startProcess,
  waitUntilReady,
} from '../../src/embedded/supervised-process.ts';
import type { FakeSlack } from '../fakes/slack/server.ts';
import type { Answer } from './api.ts';
import type { GivenToken } from './fixtures.ts';
import { TEST_KEY } from './services.ts';

const PORTCULLIS = fileURLToPath(new URL('../../bin/portcullis.js', import.meta.url));
const READY_WITHIN_MS = 60_000;
const REQUEST_WITHIN_MS = 30_000;

export interface ServiceOptions {
  /** Without one it runs on its embedded store. */
  databaseUrl?: string;
  /** Without one it runs on its embedded server. */
  temporalAddress?: string;
  slack?: FakeSlack;
  /** `PORTCULLIS_DAY`. */
  day?: string;
  /** Of several processes of one installation; every role in this one unless it is said. */
  roles?: readonly ServiceRole[];
  /** `PORTCULLIS_PUBLIC_URL`. */
  publicUrl?: string;
}

/** The service as its image runs it: `portcullis up` in a process of its own, always at the same address. */
export interface ServiceProcess {
  readonly url: string;
  /** Where it was started. */
  readonly folder: string;
  pid(): number;
  /** One request; rejects when nothing answers. */
  call(
    line: `${'GET' | 'POST' | 'PUT'} ${string}`,
    options?: { as?: Pick<GivenToken, 'headers'>; body?: unknown },
  ): Promise<Answer>;
  /** `kill -9`: nothing is flushed, nothing says goodbye. */
  kill9(): Promise<void>;
  /** Starts it again. Returns how long it took to be ready, in milliseconds. */
  restart(): Promise<number>;
  stop(): Promise<void>;
  /** What it wrote to its log. */
  readonly logFile: string;
}

export async function startService(options: ServiceOptions): Promise<ServiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-service-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(folder, 'service.log');
  const env = environmentOf(options, port);
  const start = async () => {
    const service = startProcess({
      command: process.execPath,
      args: [
        '--max-semi-space-size=64',
        PORTCULLIS,
        'up',
        ...(options.roles ? ['--roles', options.roles.join(',')] : []),
      ],
      logFile,
      cwd: folder,
      env,
    });
    await waitUntilReady(service, () => isReady(url), { what: 'portcullis up', withinMs: READY_WITHIN_MS });
    return service;
  };
  let service: SupervisedProcess = await start();
  return {
    url,
    folder,
    pid: () => service.pid,
    logFile,
    call: (line, more) =>
      request(url, line, more).catch(async (cause: unknown) => {
        const last = service.failure() ?? `it runs; ${(await readFile(logFile, 'utf8')).slice(-2_000)}`;
        throw new Error(`no answer to ${line} of process ${service.pid}: ${last}`, { cause });
      }),
    kill9: () => service.kill(),
    async restart() {
      const startedAt = performance.now();
      await service.stop();
      service = await start();
      return Math.round(performance.now() - startedAt);
    },
    async stop() {
      await service.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function environmentOf(
  { databaseUrl, temporalAddress, slack, day, roles = SERVICE_ROLES, publicUrl }: ServiceOptions,
  port: number,
) {
  const drives = roles.some((role) => role === 'worker' || role === 'background');
  const { PATH, HOME, PORTCULLIS_CACHE } = process.env;
  return {
    PATH,
    HOME,
    ...(PORTCULLIS_CACHE ? { PORTCULLIS_CACHE } : {}),
    ...(databaseUrl ? { DATABASE_URL: databaseUrl } : {}),
    PORTCULLIS_KEY: TEST_KEY,
    ...(drives ? { TEMPORAL_ADDRESS: temporalAddress } : {}),
    ...(publicUrl ? { PORTCULLIS_PUBLIC_URL: publicUrl } : {}),
    PORTCULLIS_PORT: String(port),
    PORTCULLIS_LOG_LEVEL: 'warn',
    ...(day ? { PORTCULLIS_DAY: day } : {}),
    ...(slack && (roles.includes('worker') || roles.includes('slack'))
      ? { SLACK_BOT_TOKEN: slack.tokens.bot, SLACK_API_URL: slack.url }
      : {}),
    ...(slack && roles.includes('slack') ? { SLACK_APP_TOKEN: slack.tokens.app } : {}),
  };
}

async function isReady(url: string): Promise<void> {
  const { status, text } = await request(url, 'GET /readyz');
  if (status !== 200) throw new Error(text);
}

async function request(
  base: string,
  line: string,
  { as, body }: { as?: Pick<GivenToken, 'headers'>; body?: unknown } = {},
): Promise<Answer> {
  const [method = 'GET', path = '/'] = line.split(' ');
  const response = await fetch(base + path, {
    method,
    headers: { ...as?.headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(REQUEST_WITHIN_MS),
  });
  const text = await response.text();
  const headers = Object.fromEntries(response.headers);
  const isJson = String(headers['content-type']).includes('json');
  return { status: response.status, headers, text, json: isJson ? JSON.parse(text) : {} };
}

/** Waits until `check` holds; what it throws meanwhile counts as no. Returns how long it took, in milliseconds. */
export async function until(what: string, check: () => Promise<boolean>, withinMs = 90_000): Promise<number> {
  const startedAt = performance.now();
  let last: unknown;
  while (performance.now() - startedAt < withinMs) {
    try {
      if (await check()) return Math.round(performance.now() - startedAt);
      last = undefined;
    } catch (error) {
      last = error;
    }
    await sleep(100);
  }
  throw new Error(`${what} did not happen within ${withinMs} ms`, { cause: last });
}
