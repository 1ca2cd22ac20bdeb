import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { cacheFolder, installOnce, type Log } from './cache.ts';
import { checkGo, type GoCommand, goInstall } from './go-install.ts';
import { attempt, brief, runCommand, secondsSince } from './run-command.ts';
import { downloadBySdk, downloadedBySdk } from './sdk-download.ts';

/** Later versions carry a replace directive, which `go install` refuses. */
const GO_VERSION = 'v1.5.1';
const GO_COMMAND: GoCommand = {
  name: 'Temporal',
  module: 'github.com/temporalio/cli',
  version: GO_VERSION,
  path: 'cmd/temporal',
  takes: 'about 2 to 4 minutes on two cores',
};
const EXECUTABLE = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

const VERSION_TIMEOUT_MS = 5_000;

export interface TemporalBinary {
  path: string;
  /** One phrase for people: where it came from. */
  how: string;
}

export interface FindOptions {
  env?: NodeJS.ProcessEnv;
  log: Log;
}

/**
 * The executable of Temporal's dev server: on PATH, in the cache, by the SDK's own download, or built with Go.
 * Where none of these is possible it says so within ten seconds.
 */
export async function findTemporalBinary({ env = process.env, log }: FindOptions): Promise<TemporalBinary> {
  return (await findOnPath(env, log)) ?? (await findInCache(env, log)) ?? (await fetchBinary(env, log));
}

async function findOnPath(env: NodeJS.ProcessEnv, log: Log): Promise<TemporalBinary | undefined> {
  for (const folder of (env.PATH ?? '').split(delimiter).filter((part) => part !== '')) {
    const path = join(folder, EXECUTABLE);
    if (!existsSync(path)) continue;
    const version = await versionOf(path, env);
    if (version !== undefined) {
      log(`Temporal: using ${path} from PATH (${version})`);
      return { path, how: 'on PATH' };
    }
    log(`Temporal: ${path} does not answer to --version like the Temporal CLI; passed over`);
  }
  return undefined;
}

async function findInCache(env: NodeJS.ProcessEnv, log: Log): Promise<TemporalBinary | undefined> {
  for (const path of [builtPath(env), downloadedBySdk({ server: 'dev-server', env })]) {
    if (path === undefined || !existsSync(path)) continue;
    const version = await versionOf(path, env);
    if (version !== undefined) {
      log(`Temporal: using ${path} from the cache (${version})`);
      return { path, how: 'from the cache' };
    }
  }
  return undefined;
}

async function fetchBinary(env: NodeJS.ProcessEnv, log: Log): Promise<TemporalBinary> {
  log('Temporal: not on PATH and not in the cache; trying the SDK’s own download (at most 5 s to answer)');
  const canBuild = checkGo(GO_COMMAND, env); // meanwhile, so that both checks together stay within ten seconds
  const startedAt = performance.now();
  const downloaded = await attempt(() => downloadBySdk({ server: 'dev-server', env, log }));
  if (downloaded.value !== undefined) {
    log(`Temporal: downloaded in ${secondsSince(startedAt)}`);
    return { path: downloaded.value, how: 'downloaded by the SDK' };
  }
  log(`Temporal: no download after ${secondsSince(startedAt)} (${brief(downloaded.problem)})`);

  const go = await canBuild;
  if (go.problem !== undefined) throw new Error(remedies(brief(downloaded.problem), go.problem));
  return { path: await buildWithGo(env, log), how: `built with Go (${GO_VERSION})` };
}

// --- The build with Go ---------------------------------------------------------------------------------------

function builtPath(env: NodeJS.ProcessEnv): string {
  return join(
    cacheFolder(env),
    `temporal-${GO_VERSION}-${process.platform}-${process.arch}`,
    'bin',
    EXECUTABLE,
  );
}

async function buildWithGo(env: NodeJS.ProcessEnv, log: Log): Promise<string> {
  const path = builtPath(env);
  await installOnce({
    target: join(path, '..', '..'),
    what: 'a build of Temporal',
    log,
    build: (folder) => goInstall(GO_COMMAND, join(folder, 'bin'), { env, log }),
  });
  return path;
}

// --- Helpers -------------------------------------------------------------------------------------------------

function remedies(downloadProblem: string, goProblem: string): string {
  return [
    'Cannot find or get a Temporal dev server.',
    `  SDK download: ${downloadProblem}`,
    `  Build with Go: ${goProblem}`,
    'Do one of these and start again:',
    '  - install the Temporal CLI, so that `temporal --version` works (`temporal` on PATH)',
    '  - set TEMPORAL_ADDRESS to a Temporal that runs, e.g. TEMPORAL_ADDRESS=localhost:7233',
    '  - `docker compose up -d temporal`, then TEMPORAL_ADDRESS=localhost:7233',
    '  - install Go 1.24 or newer and let it reach a module proxy (GOPROXY): Portcullis then builds one, once',
    '  - set PORTCULLIS_CACHE to a cache folder of a machine that already has one',
  ].join('\n');
}

async function versionOf(path: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const output = await attempt(() => runCommand(path, ['--version'], { env, timeoutMs: VERSION_TIMEOUT_MS }));
  const line = output.value?.trim();
  return line !== undefined && /^temporal version .*Server/.test(line) ? line : undefined;
}
