import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findTemporalBinary } from '../../src/embedded/temporal-binary.ts';
import { startTemporalServer } from '../../src/embedded/temporal-server.ts';
import { startPostgres } from './postgres.ts';

interface Servers {
  postgresUrl: string;
  temporalAddress: string;
  temporalBinary: string;
  stop(): Promise<void>;
}

/** One pair of servers for all projects of a run: each project loads this file anew, so they are counted here. */
interface Shared {
  servers: Promise<Servers> | undefined;
  users: number;
}
const KEY = Symbol.for('portcullis.test-servers');
const holder = globalThis as unknown as Record<symbol, Shared | undefined>;
holder[KEY] ??= { servers: undefined, users: 0 };
const shared: Shared = holder[KEY];

/** Vitest's global setup of the projects that need real servers. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.users += 1;
  shared.servers ??= startServers();
  const servers = await shared.servers;
  project.provide('postgresUrl', servers.postgresUrl);
  project.provide('temporalAddress', servers.temporalAddress);
  project.provide('temporalBinary', servers.temporalBinary);
  return async () => {
    shared.users -= 1;
    if (shared.users > 0) return;
    shared.servers = undefined;
    await servers.stop();
  };
}

async function startServers(): Promise<Servers> {
  const postgres = await timed('Postgres', () => startPostgres());
  try {
    const temporal = await startTemporal();
    return {
      postgresUrl: postgres.url,
      temporalAddress: temporal.address,
      temporalBinary: temporal.binary,
      stop: async () => {
        await Promise.all([temporal.stop(), postgres.stop()]);
      },
    };
  } catch (error) {
    await postgres.stop();
    throw error;
  }
}

async function startTemporal(): Promise<{ address: string; binary: string; stop(): Promise<void> }> {
  const given = process.env.TEMPORAL_ADDRESS;
  if (given) {
    log(`Temporal: using TEMPORAL_ADDRESS ${given}`);
    return { address: given, binary: '', stop: async () => undefined };
  }
  const { path: binary } = await findTemporalBinary({ log });
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-temporal-'));
  try {
    const server = await timed('Temporal dev server', () =>
      startTemporalServer({ binary, namespace: 'default', logFile: join(folder, 'temporal.log') }),
    );
    return {
      address: server.address,
      binary,
      stop: async () => {
        await server.stop();
        await rm(folder, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const result = await work();
  log(`${what}: ready in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  return result;
}

function log(line: string): void {
  process.stderr.write(`[setup] ${line}\n`);
}
