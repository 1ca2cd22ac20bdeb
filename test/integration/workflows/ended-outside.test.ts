import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { type Portcullis, startPortcullis } from '../../../src/server.ts';
import { nextMoveQuery } from '../../../workflows/rollout.contract.ts';
import {
  givenAdopted,
  givenPendingAction,
  givenRelease,
  givenToken,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { type OwnTemporal, startOwnTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
import { createStore } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';

const run = promisify(execFile);
let temporal: OwnTemporal;
let service: Portcullis;
let client: Client;
let rolloutId: string;
let actionId: string;

beforeAll(async () => {
  temporal = await startOwnTemporal();
  ({ client } = temporal);
  service = await startPortcullis(
    readConfig({
      DATABASE_URL: await createStore(),
      TEMPORAL_ADDRESS: temporal.server.address,
      PORTCULLIS_PORT: '0',
      PORTCULLIS_LOG_LEVEL: 'silent',
    }),
  );
  const { agent } = await givenAdopted(service.services);
  await givenRelease(service.services, agent, RELEASE_2_YAML);
  const given = { agent: 'desk', release: '2', reason: 'try' };
  ({ id: rolloutId } = await startRollout(service.services, managerActor(), given));
  ({ id: actionId } = await givenPendingAction(service.services));
  service.services.wake();
  await until('the workflows', async () => (await driven()).every(Boolean));
});
afterAll(async () => {
  await service?.stop();
  await temporal?.stop();
});

const rollout = () => client.workflow.getHandle(`rollout/${rolloutId}`);
const action = () => client.workflow.getHandle(`action/${actionId}`);
const isRunning = async (handle: ReturnType<typeof rollout>) =>
  (await handle.describe()).status.name === 'RUNNING';
/** A query is answered by a worker: it does not only stand in Temporal's list. */
const driven = async () => [
  (await rollout().query(nextMoveQuery)).move === 'wait',
  (await isRunning(action())) && (await action().describe()).historyLength > 4,
];
const readyz = async () =>
  (await (await fetch(`${service.url}/readyz`)).json()) as {
    worker: { state: string };
    workflows: { comparedAt: string; open: number; restarted: object[] };
  };
const cli = (...args: string[]) => run(temporal.binary, [...args, '--address', temporal.server.address]);

test('what a person terminated runs again, and /readyz and doctor say so', async () => {
  await cli('workflow', 'terminate', '--workflow-id', `rollout/${rolloutId}`, '--reason', 'cleaning up');
  await cli('workflow', 'terminate', '--workflow-id', `action/${actionId}`, '--reason', 'cleaning up');
  await until('both again', async () => (await driven()).every(Boolean));
  const ready = await readyz();
  expect(ready.worker.state).toBe('serving');
  expect(ready.workflows).toMatchObject({
    open: 2,
    restarted: expect.arrayContaining([
      expect.objectContaining({ kind: 'rollout', found: 'terminated', count: 1 }),
      expect.objectContaining({ kind: 'action', found: 'terminated', count: 1 }),
    ]),
  });
  const { token } = await givenToken(service.services, 'auditor');
  const env = {
    PORTCULLIS_URL: service.url,
    PORTCULLIS_TOKEN: token,
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    TEMPORAL_ADDRESS: temporal.server.address,
  };
  const { flat } = await runInTest(['doctor'], { env });
  expect(flat).toMatch(/warn missing workflows: started again in the last 24 h:.*1 rollout \(terminated/);
  expect(flat).toMatch(/ok workflows: 2 open records have theirs/);
  expect(flat).toMatch(/ok its worker: serves, build [0-9a-f]{16}/);
  expect(flat).toMatch(/ok worker: 1 polling with build [0-9a-f]{16} of this version/);
});

test('a store of Temporal that was lost is filled again, and worked on by this build', async () => {
  await temporal.server.restart();
  expect(await isRunning(rollout()).catch(() => false)).toBe(false);
  await until('both again', async () => (await driven()).every(Boolean), 120_000);
  expect((await readyz()).workflows.restarted).toContainEqual(
    expect.objectContaining({ kind: 'rollout', found: 'not found' }),
  );
}, 150_000);

test('a rollout workflow under any id but its own is refused, whether or not the rollout is there', async () => {
  const input = JSON.stringify({ agent: 'desk', release: '2', actor: 'olga', reason: 'by hand' });
  const start = (id: string) =>
    cli(
      ...['workflow', 'start', '--type', 'rollout', '--task-queue', 'portcullis'],
      ...['--workflow-id', id, '--input', input],
    );
  for (const id of [rolloutId, 'by-hand', `x/rollout/${rolloutId}`]) {
    await start(id);
    const ended = await client.workflow
      .getHandle(id)
      .result()
      .catch((error: { cause?: { cause?: Error } }) => error.cause?.cause?.message ?? String(error));
    expect(ended).toContain(`has the id "rollout/${id}", not "${id}"`);
  }
  const rows = await service.services.db.sql.selectFrom('rollout').select('id').execute();
  expect(rows).toEqual([{ id: rolloutId }]);
});
