import { mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log } from './cache.ts';
import { attempt, brief, runCommand, secondsSince } from './run-command.ts';

const GO_MINOR_MIN = 21; // from here on Go fetches the newer toolchain that a module asks for
const VERSION_TIMEOUT_MS = 5_000;
const PROXY_TIMEOUT_MS = 5_000;
const BUILD_TIMEOUT_MS = 20 * 60_000;

/** A command that Go can build. */
export interface GoCommand {
  /** For people. */
  name: string;
  module: string;
  version: string;
  /** Of the command in the module. */
  path: string;
  tags?: readonly string[];
  /** How long it takes, for whoever waits. */
  takes: string;
}

export type GoCheck = { problem?: string };

/** Whether a build can begin: Go is there, and the module is in its cache or can be reached. */
export async function checkGo(
  { module, version }: Pick<GoCommand, 'module' | 'version'>,
  env: NodeJS.ProcessEnv,
): Promise<GoCheck> {
  const go = await attempt(() =>
    runCommand('go', ['env', 'GOVERSION'], { env: goEnvironment(env), timeoutMs: VERSION_TIMEOUT_MS }),
  );
  if (go.value === undefined) return { problem: 'Go is not installed' };
  const minor = Number(/^go1\.(\d+)/.exec(go.value)?.[1] ?? GO_MINOR_MIN);
  if (minor < GO_MINOR_MIN) return { problem: `Go is too old (${go.value.trim()})` };

  const folder = await mkdtemp(join(tmpdir(), 'portcullis-go-')); // outside any module of the caller
  try {
    const args = ['list', '-m', `${module}@${version}`];
    const listed = await attempt(() =>
      runCommand('go', args, { env: goEnvironment(env), cwd: folder, timeoutMs: PROXY_TIMEOUT_MS }),
    );
    if (listed.value !== undefined) return {};
    return { problem: `Go is installed, but its module proxy does not answer (${brief(listed.problem)})` };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds the command into a folder that is not there yet, and says how long it takes. */
export async function goInstall(
  { name, module, version, path, tags = [], takes }: GoCommand,
  folder: string,
  { env, log }: { env: NodeJS.ProcessEnv; log: Log },
): Promise<void> {
  log(`${name}: building ${module}@${version} with Go, once; ${takes}`);
  const startedAt = performance.now();
  const reminder = setInterval(() => log(`  still building (${secondsSince(startedAt)})`), 30_000);
  // GOBIN beside the target: `go install` writes hundreds of MB there, and a rename costs nothing.
  const bin = `${folder}.go`;
  try {
    await runCommand('go', ['install', ...flagsOf(tags), `${module}/${path}@${version}`], {
      env: { ...goEnvironment(env), GOBIN: bin },
      cwd: tmpdir(),
      timeoutMs: BUILD_TIMEOUT_MS,
    });
  } finally {
    clearInterval(reminder);
  }
  await rename(bin, folder);
  log(`${name}: built in ${secondsSince(startedAt)}`);
}

const flagsOf = (tags: readonly string[]): string[] => (tags.length === 0 ? [] : ['-tags', tags.join(',')]);

function goEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  // Some distributions forbid Go to fetch the toolchain that a module asks for.
  return { GOTOOLCHAIN: 'auto', ...env, GOFLAGS: '-mod=mod', GOWORK: 'off', GO111MODULE: 'on' };
}
