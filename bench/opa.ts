import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cacheFolder, installOnce, type Log } from '../src/embedded/cache.ts';
import { runCommand } from '../src/embedded/run-command.ts';
import { freePort } from '../src/embedded/supervised-process.ts';
import { regoData, regoPolicy } from './many.ts';

const VERSION = 'v1.22.3';
const BUILD_MS = 20 * 60_000;
const COMMAND_MS = 60_000;
const START_MS = 20_000;

/** OPA's own executable, built with Go once. */
export async function findOpa(log: Log): Promise<string> {
  const target = join(cacheFolder(), `opa-${VERSION}`);
  const path = join(target, 'bin', 'opa');
  if (!existsSync(path))
    await installOnce({
      target,
      what: 'a build of OPA',
      log,
      async build(folder) {
        log(`OPA: building ${VERSION} with Go, once; some minutes`);
        await runCommand('go', ['install', `github.com/open-policy-agent/opa@${VERSION}`], {
          env: { ...process.env, GOBIN: join(folder, 'bin'), GOFLAGS: '-mod=mod', GOWORK: 'off' },
          cwd: tmpdir(),
          timeoutMs: BUILD_MS,
        });
      },
    });
  return path;
}

/** Writes the policy and its data into a folder of the bench's own. */
export async function writePolicy(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'policy.rego'), regoPolicy);
  await writeFile(join(folder, 'data.json'), regoData());
}

export interface OpaServer {
  url: string;
  stop(): Promise<void>;
}

/** `opa run --server` with the policy of `folder`. */
export async function startOpa(opa: string, folder: string): Promise<OpaServer> {
  const port = await freePort();
  const files = [join(folder, 'policy.rego'), join(folder, 'data.json')];
  const server = spawn(
    opa,
    [
      'run',
      '--server',
      '--addr',
      `127.0.0.1:${port}`,
      '--log-level',
      'error',
      '--disable-telemetry',
      ...files,
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  const until = performance.now() + START_MS;
  while (
    !(await fetch(`${url}/health`).then(
      (answer) => answer.ok,
      () => false,
    ))
  ) {
    if (performance.now() > until) throw new Error('OPA did not start');
    await sleep(100);
  }
  return {
    url: `${url}/v1/data/portcullis/allow`,
    async stop() {
      const gone = once(server, 'exit');
      server.kill();
      await gone;
    },
  };
}

/** The same policy as WebAssembly. */
export async function compiledPolicy(opa: string, folder: string): Promise<Buffer> {
  const options = { env: process.env, cwd: folder, timeoutMs: COMMAND_MS };
  await runCommand(opa, ['build', '-t', 'wasm', '-e', 'portcullis/allow', 'policy.rego'], options);
  await runCommand('tar', ['-xzf', 'bundle.tar.gz', '/policy.wasm'], options);
  return readFile(join(folder, 'policy.wasm'));
}
