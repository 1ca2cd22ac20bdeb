import { Client, Connection } from '@temporalio/client';
import { NativeConnection } from '@temporalio/worker';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { checkTemporal } from '../../../src/cli/doctor/temporal.ts';
import { readConfig } from '../../../src/config.ts';
import { noteBuild } from '../../../src/records/worker-builds.ts';
import { workflowBundle } from '../../../src/temporal/bundle.ts';
import { temporalAccess } from '../../../src/temporal/connection.ts';
import { type RunningWorker, startWorker } from '../../../src/temporal/worker.ts';
import { startLastingTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { quietTemporalLogs } from '../../support/test-server.ts';
import { openGrpcServer, openTlsProxy, TLS_SERVER_NAME, tlsFile } from '../../support/tls-server.ts';

let temporal: Awaited<ReturnType<typeof startLastingTemporal>>;
let services: TestServices;
const opened: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  quietTemporalLogs();
  [temporal, services] = await Promise.all([startLastingTemporal(), createTestServices()]);
});
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});
afterAll(async () => {
  await services?.close();
  await temporal?.[Symbol.asyncDispose]();
});

const SERVER = {
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: tlsFile('ca'),
  TEMPORAL_TLS_SERVER_NAME: TLS_SERVER_NAME,
};
const CLIENT = {
  TEMPORAL_TLS_CLIENT_CERT_PATH: tlsFile('client'),
  TEMPORAL_TLS_CLIENT_KEY_PATH: tlsFile('client-key'),
};

function configFor(address: string, env: NodeJS.ProcessEnv) {
  const { temporal: config } = readConfig({ TEMPORAL_ADDRESS: address, ...env });
  return { config, access: temporalAccess(address, config) };
}

async function openProxy(asksClient: boolean): Promise<string> {
  const proxy = await openTlsProxy(temporal.address, asksClient);
  opened.push(async () => proxy[Symbol.asyncDispose]());
  return proxy.address;
}

/** A worker, and the client beside it, as `up` makes them; answers once the build is the current one. */
async function serve(address: string, env: NodeJS.ProcessEnv): Promise<RunningWorker> {
  const { access } = configFor(address, env);
  const connection = Connection.lazy(access);
  opened.push(() => connection.close());
  const bundle = await workflowBundle();
  const worker = startWorker({
    access,
    namespace: 'default',
    bundle,
    activities: { nothing: async () => {} },
    slots: { approvals: 2, rollouts: 2, alerts: 2, callbacks: 2 },
    client: new Client({ connection, namespace: 'default' }),
    log: pino({ level: 'silent' }),
    noteBuild: () => noteBuild(services.db.sql, bundle.buildId),
    serves: async () => {},
  });
  opened.push(worker.stop);
  await until('the worker', async () => worker.state().state === 'serving');
  return worker;
}

const doctor = (address: string, env: NodeJS.ProcessEnv) => checkTemporal(configFor(address, env).config);

test('behind TLS: worker, client and doctor connect with the CA and the name, and not without', async () => {
  const address = await openProxy(false);
  await serve(address, SERVER);
  await expect
    .poll(() => doctor(address, SERVER))
    .toMatchObject([
      { state: 'ok', detail: `answers at ${address} by TLS, namespace default` },
      { name: 'worker', state: 'ok' },
    ]);
  const [clear] = await doctor(address, {});
  expect(clear).toMatchObject({ state: 'fail', mend: expect.stringContaining('does it want TLS?') });
  const [unknownCa] = await doctor(address, { TEMPORAL_TLS: 'true' });
  expect(unknownCa).toMatchObject({ state: 'fail', mend: expect.stringContaining('TEMPORAL_TLS_…') });
  const [otherName] = await doctor(address, { ...SERVER, TEMPORAL_TLS_SERVER_NAME: 'elsewhere.test' });
  expect(otherName).toMatchObject({ state: 'fail' });
});

test('behind mTLS: with the client’s certificate, and not without', async () => {
  const address = await openProxy(true);
  await serve(address, { ...SERVER, ...CLIENT });
  const [answers] = await doctor(address, { ...SERVER, ...CLIENT });
  expect(answers).toMatchObject({ state: 'ok', detail: `answers at ${address} by mTLS, namespace default` });
  expect((await doctor(address, SERVER))[0]).toMatchObject({ state: 'fail' });
  const { access } = configFor(address, SERVER);
  await expect(NativeConnection.connect(access)).rejects.toThrow();
});

test('an API key goes with every call of client, worker and doctor, and into no words', async () => {
  const server = await openGrpcServer();
  opened.push(async () => server[Symbol.asyncDispose]());
  const env = { ...SERVER, TEMPORAL_API_KEY: 'key-of-the-tests' };
  const { access } = configFor(server.address, env);
  for (const connect of [() => Connection.connect(access), () => NativeConnection.connect(access)]) {
    const before = server.calls.length;
    await (await connect()).close();
    expect(server.calls.length).toBeGreaterThan(before);
  }
  const checks = await doctor(server.address, env);
  expect(checks[0]).toMatchObject({ state: 'ok', detail: expect.stringContaining('with an API key') });
  expect(JSON.stringify(checks)).not.toContain('key-of-the-tests');
  const keys = new Set(server.calls.map(({ authorization }) => authorization));
  expect([...keys]).toEqual(['Bearer key-of-the-tests']);
});
