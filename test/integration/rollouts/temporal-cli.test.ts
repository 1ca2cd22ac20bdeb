import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { startTemporalServer, type TemporalServer } from '../../../src/embedded/temporal-server.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { type Portcullis, startPortcullis } from '../../../src/server.ts';
import { testTemporalBinary } from '../../support/context.ts';
import { givenAdopted, givenRelease, managerActor } from '../../support/fixtures.ts';
import { keepHistory } from '../../support/histories.ts';
import { createStore } from '../../support/services.ts';

const run = promisify(execFile);
const RELEASE = `agent: desk
release: 2
grants:
  - { tool: lookup }
  - { tool: cancel, approval: none }
rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
`;

let folder: string;
let temporal: TemporalServer;
let service: Portcullis;
const binary = testTemporalBinary();

beforeAll(async () => {
  if (!binary) throw new Error('this test starts a Temporal server of its own: unset TEMPORAL_ADDRESS');
  folder = await mkdtemp(join(tmpdir(), 'portcullis-cli-'));
  temporal = await startTemporalServer({
    binary,
    namespace: 'default',
    logFile: join(folder, 'temporal.log'),
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 60 },
  });
  service = await startPortcullis(
    readConfig({
      DATABASE_URL: await createStore(),
      TEMPORAL_ADDRESS: temporal.address,
      PORTCULLIS_PORT: '0',
      PORTCULLIS_DAY: '500ms',
      PORTCULLIS_LOG_LEVEL: 'error',
    }),
  );
  const { agent } = await givenAdopted(service.services);
  await givenRelease(service.services, agent, RELEASE);
});
afterAll(async () => {
  await service?.stop();
  await temporal?.stop();
  await rm(folder, { recursive: true, force: true });
});

const cli = (...args: string[]) => run(binary ?? '', [...args, '--address', temporal.address]);

async function until(what: string, check: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (Date.now() < deadline) {
    if (await check().catch(() => false)) return;
    await setTimeout(100);
  }
  throw new Error(`${what} did not happen within ${withinMs} ms`);
}

const status = () => rolloutStatus(service.services, 'by-hand');

test('a rollout is started, paused, resumed and rolled back by temporal workflow start and signal', async () => {
  const input = JSON.stringify({
    agent: 'desk',
    release: '2',
    actor: 'olga',
    reason: 'cancellations may run unasked',
  });
  await cli(
    'workflow',
    'start',
    '--type',
    'rollout',
    '--task-queue',
    'portcullis-rollouts',
    '--workflow-id',
    'rollout/by-hand',
    '--input',
    input,
  );
  await until('the start', async () => (await status()).status === 'running');
  const say = (name: string, more: object) =>
    cli(
      'workflow',
      'signal',
      '--workflow-id',
      'rollout/by-hand',
      '--name',
      name,
      '--input',
      JSON.stringify(more),
    );
  await say('pause', { actor: 'cleo', reason: 'look first' });
  await until('the pause', async () => (await status()).status === 'paused');
  await say('resume', { actor: 'olga', reason: 'looked' });
  await until('the gate', async () => (await status()).waitsFor.every((wait) => wait.for === 'person'));
  // The workflow writes to the same row meanwhile: a conflict says to repeat.
  await vi.waitFor(() =>
    runRolloutVerb(service.services, managerActor(), {
      id: 'by-hand',
      verb: 'approve-gate',
      reason: 'ready',
    }),
  );
  await until('the exposure', async () =>
    (await status()).segments.some((segment) => segment.exposurePercent > 0),
  );
  await say('rollback', { actor: 'cleo', reason: 'guests complain', segment: 'gold' });
  await until('the rollback', async () =>
    (await status()).segments.some((segment) => segment.state === 'rolled_back'),
  );
  // Enough history to go on as new; a signal that meets the moment of it is refused by the server and sent again.
  for (let n = 0; n < 40; n++) await until('a signal', async () => (await say('changed', {})) !== undefined);
  await say('rollback', { actor: 'olga', reason: 'all of it' });
  await until('the end', async () => (await status()).status === 'rolled_back');

  const client = new Client({ connection: await Connection.connect({ address: temporal.address }) });
  const runs = [];
  for await (const execution of client.workflow.list({ query: "WorkflowId = 'rollout/by-hand'" }))
    runs.push(execution);
  const continued = runs.find((execution) => execution.status.name === 'CONTINUED_AS_NEW');
  expect(continued).toBeDefined();
  await keepHistory(
    client.workflow.getHandle('rollout/by-hand', continued?.runId),
    'rollout/continued-as-new',
  );
  await client.connection.close();
}, 120_000);
