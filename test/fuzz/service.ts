import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort, startProcess, waitUntilReady } from '../../src/embedded/supervised-process.ts';
import { givenWorld, sender, type World } from './world.ts';

const PORTCULLIS = fileURLToPath(new URL('../../bin/portcullis.js', import.meta.url));
/** The first start may fetch or build a Temporal dev server. */
const READY_WITHIN_MS = 300_000;

/** `portcullis up` as people start it, on embedded parts in a folder of its own, with somebody to govern. */
export interface FuzzedService extends World {
  url: string;
  /** The OpenAPI document it serves. */
  document: unknown;
  /** Its answers so far, as it counts them itself, by "503 PUT /v1/agents/:agent". */
  answers(): Promise<ReadonlyMap<string, number>>;
  /** What it has written to its log since it was asked last. */
  logged(): Promise<string>;
  stop(): Promise<void>;
}

export async function startFuzzedService(): Promise<FuzzedService> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-fuzz-'));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logFile = join(folder, 'service.log');
  const service = startProcess({
    command: process.execPath,
    args: [PORTCULLIS, 'up'],
    cwd: folder,
    logFile,
    env: environment(port),
  });
  const stop = async () => {
    await service.stop();
    await rm(folder, { recursive: true, force: true });
  };
  let read = 0;
  try {
    let local = sender(url, '');
    const probe = async () => {
      local = sender(url, await localToken(folder));
      await local('GET /readyz');
    };
    await waitUntilReady(service, probe, { what: 'portcullis up', withinMs: READY_WITHIN_MS });
    return {
      ...(await givenWorld(url, local)),
      url,
      document: await local('GET /openapi.json'),
      answers: () => answers(url),
      async logged() {
        const text = await readFile(logFile, 'utf8');
        const since = text.slice(read);
        read = text.length;
        return since;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function environment(port: number): NodeJS.ProcessEnv {
  const { PATH, HOME, PORTCULLIS_CACHE, XDG_CACHE_HOME } = process.env;
  return {
    PATH,
    HOME,
    ...(PORTCULLIS_CACHE && { PORTCULLIS_CACHE }),
    ...(XDG_CACHE_HOME && { XDG_CACHE_HOME }),
    PORTCULLIS_PORT: String(port),
    PORTCULLIS_LOG_LEVEL: 'warn',
  };
}

/** Written last: what has it has started. */
async function localToken(folder: string): Promise<string> {
  const text = await readFile(join(folder, '.portcullis', 'token'), 'utf8');
  return (JSON.parse(text) as { token: string }).token;
}

async function answers(url: string): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.matchAll(
    /^portcullis_http_requests_total\{method="(.*)",route="(.*)",status="(\d+)"\} (\d+)$/gm,
  );
  return new Map(
    [...lines].map(([, method, route, status, n]) => [`${status} ${method} ${route}`, Number(n)]),
  );
}
