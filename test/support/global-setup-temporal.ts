import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { findTemporalBinary } from '../../src/embedded/temporal-binary.ts';
import { startTemporalServer } from '../../src/embedded/temporal-server.ts';
import { log, timed } from './timed.ts';

interface Temporal {
  address: string;
  binary: string;
  stop(): Promise<void>;
}

/** Vitest's global setup of the tests that need a Temporal server. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { address, binary, stop } = await startTemporal();
  project.provide('temporalAddress', address);
  project.provide('temporalBinary', binary);
  return stop;
}

async function startTemporal(): Promise<Temporal> {
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
