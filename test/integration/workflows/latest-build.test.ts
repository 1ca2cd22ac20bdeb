import type { Client } from '@temporalio/client';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { noteBuild } from '../../../src/records/worker-builds.ts';
import { workflowBundle } from '../../../src/temporal/bundle.ts';
import { readDeployment } from '../../../src/temporal/deployment.ts';
import { type RunningWorker, startWorker } from '../../../src/temporal/worker.ts';
import { type OwnTemporal, startOwnTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { quietTemporalLogs } from '../../support/test-server.ts';

/** Each worker looks every quarter of a minute, and the server takes about one of a build's ten queues a second. */
const SEEN_WITHIN_MS = 120_000;
const TEST_MS = 300_000;

let temporal: OwnTemporal;
let client: Client;
let services: TestServices;
const workers = new Set<RunningWorker>();
/** Each time a build began to serve. */
const served: string[] = [];

beforeAll(async () => {
  quietTemporalLogs();
  temporal = await startOwnTemporal();
  ({ client } = temporal);
  services = await createTestServices();
});
afterAll(async () => {
  await Promise.all([...workers].map((worker) => worker.stop()));
  await temporal?.stop();
  await services?.close();
});

async function work(buildId: string, awayMs?: number): Promise<RunningWorker> {
  const { code } = await workflowBundle();
  const worker = startWorker({
    access: { address: temporal.server.address },
    namespace: 'default',
    bundle: { code, buildId },
    activities: { nothing: async () => {} },
    slots: { approvals: 2, rollouts: 2, alerts: 2, callbacks: 2 },
    client,
    log: pino({ level: 'silent' }),
    noteBuild: () => noteBuild(services.db.sql, buildId),
    serves: async () => void served.push(buildId),
    awayMs,
  });
  workers.add(worker);
  return worker;
}

async function end(worker: RunningWorker): Promise<void> {
  workers.delete(worker);
  await worker.stop();
}

const is = (state: string, worker: RunningWorker) =>
  until(state, async () => worker.state().state === state, SEEN_WITHIN_MS);

const current = async () => (await readDeployment({ client, namespace: 'default' })).current;

/** As somebody does it with Temporal's own CLI, once the server knows the build. */
const chooseByHand = (buildId: string) =>
  until(
    `${buildId} chosen`,
    async () => {
      await client.workflowService.setWorkerDeploymentCurrentVersion({
        namespace: 'default',
        deploymentName: 'portcullis',
        buildId,
        identity: 'somebody at a terminal',
        ignoreMissingTaskQueues: true,
      });
      return true;
    },
    SEEN_WITHIN_MS,
  );

test(
  'an older build whose worker comes back leaves the latest in its place, also at a server that lost what it knew',
  async () => {
    const old = await work('old');
    await is('serving', old);
    const latest = await work('latest');
    await is('serving', latest);
    await is('replaced', old);
    await end(old);
    const back = await work('old');
    await is('replaced', back);
    expect([await current(), latest.state().state]).toEqual(['latest', 'serving']);
    expect(back.state().detail).toBe('build latest is the current one');
    await temporal.server.restart();
    await until(
      'a current build',
      async () => (await current().catch(() => undefined)) !== undefined,
      SEEN_WITHIN_MS,
    );
    await end(back);
    const again = await work('old');
    await is('replaced', again);
    expect(await current()).toBe('latest');
    await is('serving', latest);
    expect(served).toEqual(['old', 'latest']);
  },
  TEST_MS,
);

test(
  'what a person chose stays, until there is a newer build',
  async () => {
    await chooseByHand('old');
    const [old, latest] = [...workers].reverse() as [RunningWorker, RunningWorker];
    await Promise.all([is('serving', old), is('replaced', latest)]);
    const newer = await work('newer');
    await is('serving', newer);
    await is('replaced', old);
    expect(await current()).toBe('newer');
  },
  TEST_MS,
);

test(
  'an older build takes over from a later one for which nobody works any more',
  async () => {
    const older = await work('latest', 5_000);
    await is('replaced', older);
    await Promise.all([...workers].filter((worker) => worker !== older).map(end));
    await is('serving', older);
    expect(await current()).toBe('latest');
  },
  TEST_MS,
);
