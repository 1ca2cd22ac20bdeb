import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { type Portcullis, startPortcullis } from '../../../src/server.ts';
import { givenAdopted, givenRelease, managerActor } from '../../support/fixtures.ts';
import { keepHistory } from '../../support/histories.ts';
import { type OwnTemporal, startOwnTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
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

let temporal: OwnTemporal;
let service: Portcullis;

beforeAll(async () => {
  temporal = await startOwnTemporal({ 'limit.historyCount.suggestContinueAsNew': 60 });
  service = await startPortcullis(
    readConfig({
      DATABASE_URL: await createStore(),
      TEMPORAL_ADDRESS: temporal.server.address,
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
});

const cli = (...args: string[]) => run(temporal.binary, [...args, '--address', temporal.server.address]);

const status = () => rolloutStatus(service.services, 'by-hand');

test('a rollout is started, paused, resumed and rolled back by temporal workflow start and signal', async () => {
  const input = JSON.stringify({
    agent: 'desk',
    release: '2',
    actor: 'olga',
    reason: 'cancellations may run unasked',
    noneYet: 'nothing went wrong',
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
  // A signal that meets the moment in which the workflow goes on as new is refused by the server, and sent again.
  const say = (name: string, more: object) => {
    const about = ['--workflow-id', 'rollout/by-hand', '--name', name, '--input', JSON.stringify(more)];
    return until(`signal ${name}`, async () => (await cli('workflow', 'signal', ...about)) !== undefined);
  };
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
  // Enough history to go on as new.
  for (let n = 0; n < 40; n++) await say('changed', {});
  await say('rollback', { actor: 'olga', reason: 'all of it' });
  await until('the end', async () => (await status()).status === 'rolled_back');

  const { client } = temporal;
  const runs = [];
  for await (const execution of client.workflow.list({ query: "WorkflowId = 'rollout/by-hand'" }))
    runs.push(execution);
  const continued = runs.find((execution) => execution.status.name === 'CONTINUED_AS_NEW');
  expect(continued).toBeDefined();
  await keepHistory(
    client.workflow.getHandle('rollout/by-hand', continued?.runId),
    'rollout/continued-as-new',
  );
});
