import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { cacheFolder, installOnce, type Log } from './cache.ts';
import { attempt, brief, runCommand, secondsSince } from './run-command.ts';
import { downloadBySdk, downloadedBySdk } from './sdk-download.ts';

/** Later versions carry a replace directive, which `go install` refuses. */
const GO_MODULE = 'github.com/temporalio/cli';
const GO_VERSION = 'v1.5.1';
const GO_MINOR_MIN = 21; // from here on Go fetches the newer toolchain that the module asks for
const EXECUTABLE = process.platform === 'win32' ? 'temporal.exe' : 'temporal';

const VERSION_TIMEOUT_MS = 5_000;
const PROXY_TIMEOUT_MS = 5_000;
const BUILD_TIMEOUT_MS = 20 * 60_000;

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
  const canBuild = checkGo(env); // meanwhile, so that both checks together stay within ten seconds
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
    build: async (folder) => {
      log(`Temporal: building ${GO_MODULE}@${GO_VERSION} with Go, once; about 2 to 4 minutes on two cores`);
      const startedAt = performance.now();
      const reminder = setInterval(() => log(`  still building (${secondsSince(startedAt)})`), 30_000);
      try {
        await goInstall(join(folder, 'bin'), env);
      } finally {
        clearInterval(reminder);
      }
      log(`Temporal: built in ${secondsSince(startedAt)}`);
    },
  });
  return path;
}

async function goInstall(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  // GOBIN beside the target: `go install` writes 250 MB there, and a rename costs nothing.
  const bin = `${folder}.go`;
  await runCommand('go', ['install', `${GO_MODULE}/cmd/temporal@${GO_VERSION}`], {
    env: { ...goEnvironment(env), GOBIN: bin },
    cwd: tmpdir(),
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  await rename(bin, folder);
}

type GoCheck = { problem?: string };

/** Whether a build can begin: Go is there, and the module is in its cache or can be reached. */
async function checkGo(env: NodeJS.ProcessEnv): Promise<GoCheck> {
  const version = await attempt(() =>
    runCommand('go', ['env', 'GOVERSION'], { env: goEnvironment(env), timeoutMs: VERSION_TIMEOUT_MS }),
  );
  if (version.value === undefined) return { problem: 'Go is not installed' };
  const minor = Number(/^go1\.(\d+)/.exec(version.value)?.[1] ?? GO_MINOR_MIN);
  if (minor < GO_MINOR_MIN) return { problem: `Go is too old (${version.value.trim()})` };

  const folder = await mkdtemp(join(tmpdir(), 'portcullis-go-')); // outside any module of the caller
  try {
    const args = ['list', '-m', `${GO_MODULE}@${GO_VERSION}`];
    const listed = await attempt(() =>
      runCommand('go', args, { env: goEnvironment(env), cwd: folder, timeoutMs: PROXY_TIMEOUT_MS }),
    );
    if (listed.value !== undefined) return {};
    return { problem: `Go is installed, but its module proxy does not answer (${brief(listed.problem)})` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, GOFLAGS: '-mod=mod', GOWORK: 'off', GO111MODULE: 'on' };
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
