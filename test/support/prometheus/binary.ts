import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, installOnce } from '../../../src/embedded/cache.ts';
import { checkGo, type GoCommand, goInstall } from '../../../src/embedded/go-install.ts';
import { log } from '../timed.ts';

const COMMAND: GoCommand = {
  name: 'Prometheus',
  module: 'github.com/prometheus/prometheus',
  version: 'v0.316.0',
  path: 'cmd/prometheus',
  // Nothing is discovered here: without the clients of every cloud it is built in a fraction of the time.
  tags: ['remove_all_sd', 'netgo'],
  takes: 'about 2 to 4 minutes on two cores',
};

/** So long may the first of the tests on a machine wait for it. */
export const BUILD_WAIT_MS = 20 * 60_000;

/**
 * The server of Prometheus itself, built once a machine and kept in the cache folder.
 * @throws Error where it is not there and cannot be built: what it tests is not skipped
 */
export async function prometheusBinary(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const folder = join(cacheFolder(env), `prometheus-${COMMAND.version}-${process.platform}-${process.arch}`);
  const binary = join(folder, 'bin', process.platform === 'win32' ? 'prometheus.exe' : 'prometheus');
  if (existsSync(binary)) return binary;
  const { problem } = await checkGo(COMMAND, env);
  if (problem !== undefined)
    throw new Error(
      [
        `The tests of metric sources need a Prometheus, and there is none: ${problem}.`,
        'Do one of these and start again:',
        '  - install Go and let it reach a module proxy (GOPROXY): a Prometheus is then built, once',
        `  - put one at ${binary}`,
      ].join('\n'),
    );
  await installOnce({
    target: folder,
    what: 'a build of Prometheus',
    log,
    build: (into) => goInstall(COMMAND, join(into, 'bin'), { env, log }),
  });
  return binary;
}
