import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { IllegalStateError } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';
import { cacheFolder, installOnce, type Log } from '../../src/embedded/cache.ts';
import { attempt, brief, runCommand, secondsSince } from '../../src/embedded/run-command.ts';
import { downloadBySdk, downloadedBySdk } from '../../src/embedded/sdk-download.ts';
import {
  freePort,
  type SupervisedProcess,
  startProcess,
  waitUntilReady,
} from '../../src/embedded/supervised-process.ts';
import { acceptsConnections } from '../../src/embedded/temporal-server.ts';

const GROUP = 'io.temporal';
const ARTIFACT = 'temporal-test-server';
const VERSION = '1.32.0';
const MAIN_CLASS = 'io.temporal.testserver.TestServer';

const VERSION_TIMEOUT_MS = 5_000;
/** Until then Maven must have fetched its first file, or have begun to copy. */
const FIRST_PROGRESS_WITHIN_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
const FETCH_TIMEOUT_MS = 10 * 60_000;

export interface TestServerOptions {
  env?: NodeJS.ProcessEnv;
  log?: Log;
}

/** A Temporal server whose clock jumps while workflows sleep. Call teardown() on it. */
export async function createTimeSkippingEnv(
  options: TestServerOptions = {},
): Promise<TestWorkflowEnvironment> {
  const path = await findTestServer(options);
  quietTemporalLogs();
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-test-server-'));
  const { server, address } = await startTestServer(path, join(folder, 'server.log'));
  const environment = await connectTo(address);
  const disconnect = environment.teardown.bind(environment);
  return Object.assign(environment, {
    async teardown() {
      await disconnect();
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  });
}

/** The SDK starts one too, but gives it five seconds, which a busy machine needs for the Java runtime alone. */
async function startTestServer(
  path: string,
  logFile: string,
): Promise<{ server: SupervisedProcess; address: string }> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const server = startProcess({ command: path, args: [String(port)], logFile });
  await waitUntilReady(server, () => acceptsConnections(address), {
    what: `the time-skipping server on ${address}`,
    withinMs: START_TIMEOUT_MS,
  });
  return { server, address };
}

/** What the SDK does for a server that it started: its public way to one that runs already lets no time pass. */
function connectTo(address: string): Promise<TestWorkflowEnvironment> {
  const sdk = TestWorkflowEnvironment as unknown as {
    create(options: object): Promise<TestWorkflowEnvironment>;
  };
  return sdk.create({ server: { type: 'existing' }, supportsTimeSkipping: true, address });
}

/** Leaves only warnings of Temporal's workers in the output of a test; call it before the first worker. */
export function quietTemporalLogs(): void {
  try {
    Runtime.install({
      logger: new DefaultLogger('WARN'),
      telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
    });
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error; // this process has a runtime already
  }
}

/** The executable of the time-skipping server: from the cache, by the SDK's own download, or from Maven. */
export async function findTestServer({
  env = process.env,
  log = toStderr,
}: TestServerOptions = {}): Promise<string> {
  const cached = [downloadedBySdk({ server: 'time-skipping', env }), scriptPath(env)];
  for (const path of cached) if (path !== undefined && existsSync(path)) return path;

  log('Time-skipping server: not in the cache; trying the SDK’s own download (at most 5 s to answer)');
  const startedAt = performance.now();
  const downloaded = await attempt(() => downloadBySdk({ server: 'time-skipping', env, log }));
  if (downloaded.value !== undefined) {
    log(`Time-skipping server: downloaded in ${secondsSince(startedAt)}`);
    return downloaded.value;
  }
  const problem = brief(downloaded.problem);
  log(`Time-skipping server: no download after ${secondsSince(startedAt)} (${problem})`);

  const fetched = await attempt(() => installFromMaven(env, log));
  if (fetched.problem !== undefined) throw new Error(remedies(problem, brief(fetched.problem)));
  return scriptPath(env);
}

function remedies(downloadProblem: string, mavenProblem: string): string {
  return [
    'Cannot get Temporal’s time-skipping test server.',
    `  SDK download: ${downloadProblem}`,
    `  Java and Maven: ${mavenProblem}`,
    'Do one of these and start again:',
    '  - install a Java runtime (11 or newer) and Maven (`java`, `mvn` on PATH) and let Maven reach its repository',
    '  - let this machine reach the Temporal SDK’s download',
    '  - set PORTCULLIS_CACHE to a cache folder of a machine that already has the server',
  ].join('\n');
}

// --- The Java test server from Maven -------------------------------------------------------------------------

function targetFolder(env: NodeJS.ProcessEnv): string {
  return join(cacheFolder(env), `${ARTIFACT}-${VERSION}-shared`);
}

function scriptPath(env: NodeJS.ProcessEnv): string {
  return join(targetFolder(env), 'test-server');
}

async function installFromMaven(env: NodeJS.ProcessEnv, log: Log): Promise<void> {
  await requireCommand('java', ['-version'], env);
  await requireCommand('mvn', ['--version'], env);
  await installOnce({
    target: targetFolder(env),
    what: 'the time-skipping server',
    log,
    build: async (folder) => {
      log(
        `Time-skipping server: fetching ${GROUP}:${ARTIFACT}:${VERSION} with Maven, once; about half a minute`,
      );
      const startedAt = performance.now();
      await mkdir(join(folder, 'lib'));
      await copyDependencies(join(folder, 'lib'), env);
      await writeFile(join(folder, 'test-server'), SCRIPT);
      await chmod(join(folder, 'test-server'), 0o755);
      await archiveClasses(folder, env);
      log(`Time-skipping server: fetched in ${secondsSince(startedAt)}`);
    },
  });
}

async function requireCommand(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<void> {
  const { problem } = await attempt(() => runCommand(command, args, { env, timeoutMs: VERSION_TIMEOUT_MS }));
  if (problem !== undefined) throw new Error(`\`${command}\` does not run (${brief(problem)})`);
}

async function copyDependencies(lib: string, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-maven-'));
  try {
    await writeFile(join(folder, 'pom.xml'), pom());
    const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies';
    await runMaven(['-B', goal, `-DoutputDirectory=${lib}`, '-DincludeScope=runtime'], folder, env);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Maven has no limit of its own for a repository that does not answer: it is ended when nothing comes at all. */
function runMaven(args: string[], cwd: string, env: NodeJS.ProcessEnv): Promise<void> {
  return new Promise((resolve, reject) => {
    const maven = spawn('mvn', args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    const giveUp = (reason: string) => {
      maven.kill('SIGKILL');
      reject(new Error(reason));
    };
    const total = setTimeout(() => giveUp('Maven did not finish'), FETCH_TIMEOUT_MS);
    const first = setTimeout(() => giveUp('Maven’s repository does not answer'), FIRST_PROGRESS_WITHIN_MS);
    const read = (chunk: Buffer) => {
      output += chunk.toString();
      if (/Downloaded from|Copying /.test(output)) clearTimeout(first);
    };
    maven.stdout.on('data', read);
    maven.stderr.on('data', read);
    maven.once('error', reject);
    maven.once('close', (code) => {
      clearTimeout(total);
      clearTimeout(first);
      if (code === 0) resolve();
      else
        reject(
          new Error(output.split('\n').find((line) => line.startsWith('[ERROR]')) ?? `mvn: code ${code}`),
        );
    });
  });
}

function pom(): string {
  return `<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>portcullis</groupId>
  <artifactId>test-server</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>${GROUP}</groupId>
      <artifactId>${ARTIFACT}</artifactId>
      <version>${VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-nop</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
`;
}

const JAVA = `-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx512m -cp 'lib/*' ${MAIN_CLASS}`;
const CLASSES = 'classes.jsa';

/** Started with the port as its argument. */
const SCRIPT = `#!/bin/sh
cd "$(dirname "$0")" && exec java -XX:SharedArchiveFile=${CLASSES} ${JAVA} "$1"
`;

/** Keeps the classes of one start as Java reads them quickest: a start takes a third of the time then. Without, it works too. */
async function archiveClasses(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const log = join(folder, 'archive.log');
  const port = await freePort();
  const server = startProcess({
    command: 'sh',
    args: ['-c', `exec java -XX:ArchiveClassesAtExit=${CLASSES} ${JAVA} ${port}`],
    logFile: log,
    cwd: folder,
    env,
  });
  await waitUntilReady(server, () => acceptsConnections(`127.0.0.1:${port}`), {
    what: 'the time-skipping server once, to keep its classes',
    withinMs: START_TIMEOUT_MS,
  });
  await server.stop();
  await rm(log);
}

function toStderr(line: string): void {
  process.stderr.write(`[setup] ${line}\n`);
}
