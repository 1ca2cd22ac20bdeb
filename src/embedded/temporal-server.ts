import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { Connection } from '@temporalio/client';
import { freePort, type SupervisedProcess, startProcess, waitUntilReady } from './supervised-process.ts';

const READY_WITHIN_MS = 60_000;
const PROBE_TIMEOUT_MS = 5_000;
const STARTS_MAX = 3;

export interface TemporalServerOptions {
  /** The `temporal` executable; see findTemporalBinary(). */
  binary: string;
  logFile: string;
  namespace: string;
  /** The SQLite file. Without one everything is in memory, and restart() starts empty. */
  dbFile?: string;
  /** Any free port of 127.0.0.1 if not given; restart() keeps it. */
  port?: number;
  /** The port of Temporal's web pages; without it there are none. */
  uiPort?: number;
  /** Server settings for this one process, for instance `{ 'limit.maxIDLength': 255 }`. */
  dynamicConfig?: Readonly<Record<string, string | number | boolean>>;
}

export interface TemporalServer {
  readonly address: string;
  readonly namespace: string;
  /** Undefined while it runs, else how it ended. */
  failure(): string | undefined;
  /** SIGTERM, and SIGKILL after ten seconds. */
  stop(): Promise<void>;
  /** SIGKILL: what a crash of the machine looks like to clients. */
  kill(): Promise<void>;
  /** Stops it if it runs, and starts it on the same port and the same file. */
  restart(): Promise<void>;
}

/** Starts Temporal's dev server on 127.0.0.1 and waits until the namespace answers; it ends with this process. */
export async function startTemporalServer(options: TemporalServerOptions): Promise<TemporalServer> {
  const { namespace } = options;
  const port = options.port ?? (await freePort());
  const address = `127.0.0.1:${port}`;
  for (const file of [options.logFile, options.dbFile]) {
    if (file !== undefined) mkdirSync(dirname(file), { recursive: true });
  }

  const start = async (left = STARTS_MAX - 1): Promise<SupervisedProcess> => {
    const server = startProcess({
      command: options.binary,
      args: serverArguments(options, port),
      logFile: options.logFile,
    });
    try {
      await waitUntilReady(server, () => answers(address, namespace), {
        what: `the Temporal dev server on ${address} (log: ${options.logFile})`,
        withinMs: READY_WITHIN_MS,
      });
      return server;
    } catch (error) {
      if (left === 0 || !hasPanicked(server)) throw error;
      return start(left - 1);
    }
  };
  let server = await start();
  return {
    address,
    namespace,
    failure: () => server.failure(),
    stop: () => server.stop(),
    kill: () => server.kill(),
    async restart() {
      await server.stop();
      server = await start();
    },
  };
}

/** It chooses the ports of its parts before it opens them, and panics where somebody else was there first: Go then ends with 2. */
const hasPanicked = (server: SupervisedProcess): boolean =>
  server.failure()?.includes('ended (code 2)') === true;

function serverArguments(options: TemporalServerOptions, port: number): string[] {
  const { dbFile, uiPort, namespace, dynamicConfig = {} } = options;
  return [
    ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', String(port)],
    ...['--namespace', namespace, '--log-level', 'warn'],
    ...(uiPort === undefined ? ['--headless'] : ['--ui-port', String(uiPort)]),
    ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
    ...Object.entries(dynamicConfig).flatMap(([key, value]) => [
      '--dynamic-config-value',
      `${key}=${JSON.stringify(value)}`,
    ]),
  ];
}

async function answers(address: string, namespace: string): Promise<void> {
  await acceptsConnections(address); // a refused gRPC channel would wait a second before its next try
  const connection = await Connection.connect({ address, connectTimeout: PROBE_TIMEOUT_MS });
  try {
    await connection.withDeadline(Date.now() + PROBE_TIMEOUT_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
  } finally {
    await connection.close();
  }
}

/** Resolves when something listens there. */
export function acceptsConnections(address: string): Promise<void> {
  const { hostname, port } = new URL(`tcp://${address}`);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: PROBE_TIMEOUT_MS });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => socket.destroy(new Error(`no answer from ${address}`)));
    socket.once('error', reject);
  });
}
