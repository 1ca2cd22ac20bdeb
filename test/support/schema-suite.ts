import { readdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder, installOnce } from '../../src/embedded/cache.ts';
import { attempt, brief, runCommand } from '../../src/embedded/run-command.ts';

/** The source package that carries the official JSON-Schema-Test-Suite (MIT) in its folder `json`. */
const PACKAGE = 'jsonschema';
const VERSION = '4.26.0';
const SHA256 = '0c26707e2efad8aa1bfc5b7ce170f3fccc2e4918ff85989ba9ffa9facb2be326';
const PYTHONS = ['python3', 'python'];
const FETCH_TIMEOUT_MS = 180_000;
const UNPACK_TIMEOUT_MS = 30_000;

export interface SuiteCase {
  description: string;
  data: unknown;
  valid: boolean;
}

export interface SuiteGroup {
  file: string;
  name: string;
  schema: unknown;
  cases: SuiteCase[];
}

/** The groups of one draft's folder, without what lies in folders below it; the suite is fetched once. */
export async function readSchemaSuite(draft: string, below = ''): Promise<SuiteGroup[]> {
  const folder = join(await schemaSuiteFolder(), 'tests', draft, below);
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.sort().flatMap((file) => groupsOf(join(folder, file), file));
}

function groupsOf(path: string, file: string): SuiteGroup[] {
  const groups = JSON.parse(readFileSync(path, 'utf8')) as {
    description: string;
    schema: unknown;
    tests: SuiteCase[];
  }[];
  return groups.map(({ description: name, schema, tests }) => ({ file, name, schema, cases: tests }));
}

/** The folder `json` of the package: from the cache, or fetched by pip. */
async function schemaSuiteFolder(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const target = join(cacheFolder(env), `json-schema-test-suite-${VERSION}`);
  await installOnce({
    target,
    what: 'the JSON-Schema-Test-Suite',
    log: (line) => void process.stderr.write(`${line}\n`),
    build: (folder) => fetchSuite(folder, env),
  });
  return join(target, 'json');
}

async function fetchSuite(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const problems: string[] = [];
  for (const python of PYTHONS) {
    const { problem } = await attempt(() => fetchBy(python, folder, env));
    if (problem === undefined) return;
    problems.push(`${python}: ${brief(problem).split('\n').at(-1)}`);
  }
  throw new Error(
    `Cannot get the JSON-Schema-Test-Suite (${problems.join('; ')}). It comes with the source package ` +
      `${PACKAGE} ${VERSION}: install Python 3 with pip and let it reach a package index, or set PORTCULLIS_CACHE ` +
      'to a folder that holds it already.',
  );
}

async function fetchBy(python: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const wanted = join(folder, 'requirements.txt');
  await writeFile(wanted, `${PACKAGE}==${VERSION} --hash=sha256:${SHA256}\n`);
  const only = ['--quiet', '--no-deps', '--no-binary', PACKAGE, '--require-hashes'];
  await runCommand(python, ['-m', 'pip', 'download', ...only, '--dest', folder, '-r', wanted], {
    env,
    timeoutMs: FETCH_TIMEOUT_MS,
  });
  const archive = join(folder, `${PACKAGE}-${VERSION}.tar.gz`);
  await runCommand(python, ['-m', 'tarfile', '-e', archive, folder], { env, timeoutMs: UNPACK_TIMEOUT_MS });
  await rename(join(folder, `${PACKAGE}-${VERSION}`, 'json'), join(folder, 'json'));
  await rm(join(folder, `${PACKAGE}-${VERSION}`), { recursive: true });
  await rm(archive);
}
