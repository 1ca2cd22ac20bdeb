import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findTemporalBinary } from '../../src/embedded/temporal-binary.ts';
import { startTemporalServer } from '../../src/embedded/temporal-server.ts';
import { log, oncePerRun, timed } from './once-per-run.ts';

interface Temporal {
  address: string;
  binary: string;
  stop(): Promise<void>;
}

/** Vitest's global setup of the projects that need a Temporal server. */
export default oncePerRun('temporal', startTemporal, (project, { address, binary }) => {
  project.provide('temporalAddress', address);
  project.provide('temporalBinary', binary);
});

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
