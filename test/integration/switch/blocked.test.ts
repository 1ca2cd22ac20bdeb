import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import type { Disabled } from '../../../src/cli/disable-scope.ts';
import { testPostgres, testTemporal } from '../../support/context.ts';
import { agentActor, givenAdopted, givenApprovedAction, givenToken } from '../../support/fixtures.ts';
import { createDatabase } from '../../support/postgres.ts';
import { servicesAt, TEST_KEY, type TestServices } from '../../support/services.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';

const BLOCK_MS = 10_000;
const CLOSED_WITHIN_MS = 100;
const STOPS = 5;

let services: TestServices;
let service: ChildProcess;
let place: { url: string; switchUrl: string };

beforeAll(async () => {
  const url = await createDatabase(testPostgres());
  services = await servicesAt(url);
  await givenAdopted(services);
  const { address, namespace } = testTemporal();
  service = fork(fileURLToPath(new URL('./blocked-service.ts', import.meta.url)), [], {
    execArgv: ['--import', 'tsx'],
    env: {
      ...process.env,
      DATABASE_URL: url,
      PORTCULLIS_KEY: TEST_KEY,
      TEMPORAL_ADDRESS: address,
      TEMPORAL_NAMESPACE: namespace,
      PORTCULLIS_PORT: '0',
      PORTCULLIS_DATA: mkdtempSync(join(tmpdir(), 'portcullis-blocked-')),
      PORTCULLIS_LOG_LEVEL: 'error',
    },
  });
  [place] = await once(service, 'message');
});
afterAll(async () => {
  const gone = once(service, 'exit');
  service.disconnect();
  await gone;
  await services.close();
});

test('with the main thread blocked for 10 s the switch closes within 100 ms, and nothing begins', async () => {
  const approved = await givenApprovedAction(services);
  const { token } = await givenToken(services, 'on-call', { person: 'cleo' });
  const env = { PORTCULLIS_URL: place.url, PORTCULLIS_SWITCH_URL: place.switchUrl, PORTCULLIS_TOKEN: token };
  const free = new Promise((resolve) => {
    service.on('message', (message: object) => 'free' in message && resolve(performance.now()));
  });
  service.send({ blockMs: BLOCK_MS });
  await once(service, 'message');
  const startedAt = performance.now();

  const stops: Disabled[] = [];
  for (let n = 0; n < STOPS; n++) {
    const argv = ['disable', 'desk', '--reason', 'the service hangs', '--output', 'json'];
    stops.push((await runInTest(argv, { env })).json<Disabled>());
  }
  const tookMs = performance.now() - startedAt;
  const begin = beginAction(services, agentActor(), { id: approved.id, executionId: 'e-1' });
  await expect(begin).rejects.toMatchObject({ code: expect.stringMatching(/stopped|not_approved/) });

  expect(stops.map(({ state, by }) => `${state} by ${by}`)).toEqual(Array(STOPS).fill('closed by switch'));
  // The machine may be busy with something else for a moment: not five times in a row.
  expect(Math.min(...stops.map(({ offAtMs }) => offAtMs))).toBeLessThan(CLOSED_WITHIN_MS);
  // All of it happened while the main thread stood still.
  expect(tookMs).toBeLessThan(BLOCK_MS);
  expect(Number(await free) - startedAt).toBeGreaterThan(tookMs);
});
