import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  startTemporalServer,
  type TemporalServer,
  type TemporalServerOptions,
} from '../../src/embedded/temporal-server.ts';
import { testTemporalBinary } from './context.ts';

export interface OwnTemporal {
  /** In memory: a restart loses everything it knew. */
  server: TemporalServer;
  client: Client;
  /** The executable, which is Temporal's own CLI too. */
  binary: string;
  stop(): Promise<void>;
}

/** A Temporal server of the caller's own, which it may restart, tune and fill as it likes. */
export async function startOwnTemporal(
  dynamicConfig: TemporalServerOptions['dynamicConfig'] = {},
): Promise<OwnTemporal> {
  const { server, binary, remove } = await start(() => ({ dynamicConfig }));
  const connection = await Connection.connect({ address: server.address });
  return {
    server,
    client: new Client({ connection }),
    binary,
    async stop() {
      await connection.close();
      await server.stop();
      await remove();
    },
  };
}

/** One that keeps what it knows in a file, so that it may be stopped and started. */
export async function startLastingTemporal(): Promise<TemporalServer & AsyncDisposable> {
  const { server, remove } = await start((folder) => ({ dbFile: join(folder, 'temporal.db') }));
  return {
    ...server,
    async [Symbol.asyncDispose]() {
      await server.stop();
      await remove();
    },
  };
}

async function start(optionsIn: (folder: string) => Partial<TemporalServerOptions>) {
  const binary = testTemporalBinary();
  if (!binary) throw new Error('this test starts a Temporal server of its own: unset TEMPORAL_ADDRESS');
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-temporal-'));
  const server = await startTemporalServer({
    binary,
    namespace: 'default',
    logFile: join(folder, 'temporal.log'),
    ...optionsIn(folder),
  });
  return { server, binary, remove: () => rm(folder, { recursive: true, force: true }) };
}
