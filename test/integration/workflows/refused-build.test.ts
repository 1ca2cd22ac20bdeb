import type { Client } from '@temporalio/client';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { checkService } from '../../../src/cli/doctor/service.ts';
import { checkTemporal } from '../../../src/cli/doctor/temporal.ts';
import { noteBuild } from '../../../src/records/worker-builds.ts';
import { workflowBundle } from '../../../src/temporal/bundle.ts';
import { type RunningWorker, startWorker } from '../../../src/temporal/worker.ts';
import { type OwnTemporal, startOwnTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { quietTemporalLogs } from '../../support/test-server.ts';

let temporal: OwnTemporal;
let client: Client;
let services: TestServices;
const workers: RunningWorker[] = [];

beforeAll(async () => {
  quietTemporalLogs();
  temporal = await startOwnTemporal({
    'matching.maxVersionsInDeployment': 2,
    // After this without a poll a build counts as one that nobody works for, and may be dropped.
    'matching.PollerHistoryTTL': '18s',
    // Whoever works asks more often than that.
    'matching.longPollExpirationInterval': '5s',
    'matching.wv.VersionDrainageStatusVisibilityGracePeriod': '1s',
    'matching.wv.VersionDrainageStatusRefreshInterval': '1s',
  });
  ({ client } = temporal);
  services = await createTestServices();
});
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()));
  await temporal?.stop();
  await services?.close();
});

async function work(buildId: string): Promise<RunningWorker> {
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
    serves: async () => {},
  });
  workers.push(worker);
  return worker;
}

const serves = (worker: RunningWorker) => async () => worker.state().state === 'serving';

/** What /readyz answers in the worker's process, and what doctor makes of it. */
async function said(worker: RunningWorker) {
  const api = await createApi(services, { temporal: async () => true, worker: () => worker.state() });
  const ready = await api.inject({ method: 'GET', url: '/readyz' });
  const connection = { url: 'http://here', tokenFrom: 'a test' };
  const answers: Record<string, unknown> = { '/readyz': ready.json(), '/v1/switches': { switches: [] } };
  const get = async (path: string) => answers[path] ?? [];
  const checks = await checkService({ connection, get } as unknown as Parameters<typeof checkService>[0]);
  await api.close();
  return {
    ...ready.json(),
    code: ready.statusCode,
    check: checks.find(({ name }) => name === 'its worker'),
  };
}

test('a build that Temporal does not take is tried until it does, and everybody says what to do', async () => {
  const first = await work('build-1');
  await until('the first', serves(first));
  const second = await work('build-2');
  await until('the second', serves(second));
  const third = await work('build-3');
  await until('the refusal', async () => third.state().state === 'refused');
  const refused = await said(third);
  expect(refused).toMatchObject({
    code: 200,
    worker: {
      build: 'build-3',
      state: 'refused',
      detail: expect.stringMatching(/holds 2 others \(build-2, build-1\).*matching\.maxVersionsInDeployment/),
      mend: expect.stringContaining('delete-version --deployment-name portcullis --build-id build-1'),
    },
    check: { state: 'fail', mend: expect.stringContaining('--build-id build-1') },
  });
  const pollers = async () =>
    (await checkTemporal({ address: temporal.server.address, namespace: 'default' }))[1];
  await expect.poll(pollers).toMatchObject({
    name: 'worker',
    state: 'fail',
    detail: expect.stringMatching(/none polls with build [0-9a-f]{16} .*\d of other builds \(build-/),
  });
  await first.stop();
  await until('the server to take it', serves(third), 180_000);
  expect(await said(third)).toMatchObject({ worker: { state: 'serving' }, check: { state: 'ok' } });
  await until('the older one to know', async () => second.state().state === 'replaced', 40_000);
}, 300_000);
