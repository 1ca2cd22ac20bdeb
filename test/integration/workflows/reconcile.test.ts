import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { raiseAlert } from '../../../src/records/alert.ts';
import { readReconciled, tellOpenRollouts } from '../../../src/records/reconciliation.ts';
import { dispatchOutbox } from '../../../src/temporal/dispatch.ts';
import { reconcile } from '../../../src/temporal/reconcile.ts';
import {
  AGENT_YAML,
  agentActor,
  approverActor,
  givenAdopted,
  givenPendingAction,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { type OwnTemporal, startOwnTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

let temporal: OwnTemporal;
let client: Client;
let services: TestServices;

beforeAll(async () => {
  temporal = await startOwnTemporal();
  ({ client } = temporal);
});
afterAll(async () => {
  await temporal?.stop();
});

const queue = randomUUID();
/** Nobody works on what is started: it runs until somebody ends it. */
const dispatch = () => dispatchOutbox(services, client, { queue: () => queue });
const statusOf = async (id: string) => (await client.workflow.getHandle(id).describe()).status.name;
const terminate = (id: string) => client.workflow.getHandle(id).terminate('by a test');
const missing = async () =>
  (await reconcile(services, client)).map(({ topic, key, found }) => `${topic}/${key} ${found}`).sort();

/** One open record of each kind that has a workflow; answers the workflows' ids. */
async function givenOneOfEach(): Promise<string[]> {
  const agentYaml = `${AGENT_YAML}callback: { url: 'https://agent.test/hook' }\n`;
  const { agent } = await givenAdopted(services, { agentYaml });
  await givenRelease(services, agent, RELEASE_2_YAML);
  const { id: rollout } = await startRollout(services, managerActor(), {
    agent: 'desk',
    release: '2',
    reason: 'try',
  });
  const approved = await givenPendingAction(services);
  await answerAction(services, approverActor(), { id: approved.id, verdict: 'approve' });
  const waiting = await givenPendingAction(services);
  await services.db.sql
    .updateTable('action')
    .set({ reach: JSON.stringify({ state: 'queued', told: {}, joinsDigest: true }) })
    .where('id', '=', waiting.id)
    .execute();
  await services.db.sql
    .insertInto('outbox')
    .values({ topic: 'digest', key: 'desk', payload: '{}' })
    .execute();
  const now = services.clock.now();
  const alert = await raiseAlert(services.db.sql, 'rollout.gate', 'desk', now, { rollout });
  return [
    `action/${approved.id}`,
    `action/${waiting.id}`,
    `alert/${alert}`,
    `callback/${approved.id}/2`,
    'digest/desk',
    `rollout/${rollout}`,
  ].sort();
}

beforeEach(async () => {
  services = await createTestServices();
  for await (const { workflowId, status } of client.workflow.list())
    if (status.name === 'RUNNING') await terminate(workflowId).catch(() => {});
  return () => services.close();
});

test('what runs, and what the dispatcher has yet to start, is not missing', async () => {
  await givenOneOfEach();
  expect(await missing()).toEqual([]);
  await dispatch();
  expect(await missing()).toEqual([]);
  expect(await readReconciled(services.db.sql, services.clock.now())).toEqual({
    comparedAt: services.clock.now().toISOString(),
    open: 6,
    restarted: [],
  });
});

test('each kind that was terminated from outside is started again, and said', async () => {
  const ids = await givenOneOfEach();
  await dispatch();
  for (const id of ids) await terminate(id);
  const found: string[] = [];
  // Temporal's list of what runs lags behind; each is found once.
  await until('all to be missed', async () => found.push(...(await missing())) === ids.length);
  expect(found.sort()).toEqual(ids.map((id) => `${id} terminated`));
  await dispatch();
  for (const id of ids) expect([id, await statusOf(id)]).toEqual([id, 'RUNNING']);
  expect(await missing()).toEqual([]);
  const { restarted } = await readReconciled(services.db.sql, services.clock.now());
  expect(restarted.map(({ kind, count }) => `${count} ${kind}`).sort()).toEqual([
    '1 alert',
    '1 callback',
    '1 digest',
    '1 rollout',
    '2 action',
  ]);
});

test('each kind that Temporal knows nothing of is started again', async () => {
  const ids = await givenOneOfEach();
  await services.db.sql.deleteFrom('outbox').execute();
  // The agent's name is that of the other tests: its digests are known as terminated.
  const unknown = ids.filter((id) => !id.startsWith('digest/'));
  expect(await missing()).toEqual(expect.arrayContaining(unknown.map((id) => `${id} not found`)));
  await dispatch();
  expect(await missing()).toEqual([]);
});

test('what is over needs no workflow: ended, delivered, or older than anybody tries', async () => {
  const ids = await givenOneOfEach();
  await services.db.sql.deleteFrom('outbox').execute();
  const rollout = ids.find((id) => id.startsWith('rollout/'))?.slice('rollout/'.length) ?? '';
  const { db, clock } = services;
  await db.sql.updateTable('rollout').set({ ended_at: clock.now() }).where('id', '=', rollout).execute();
  const actions = ids.filter((id) => id.startsWith('action/')).map((id) => id.slice('action/'.length));
  for (const id of actions) await withdrawAction(services, agentActor(), { id });
  await db.sql.deleteFrom('outbox').execute();
  clock.advance(3 * 86_400_000 + 1);
  expect(await missing()).toEqual([]);
  expect(await db.sql.selectFrom('callback').selectAll().execute()).toEqual([]);
});

test('a build that begins to serve has every open rollout looked at, and no other', async () => {
  const ids = await givenOneOfEach();
  const { db, clock } = services;
  const waiting = () => db.sql.selectFrom('outbox').select(['topic', 'key']).execute();
  await db.sql.deleteFrom('outbox').execute();
  await tellOpenRollouts(db.sql);
  const rollout = ids.find((id) => id.startsWith('rollout/'))?.slice('rollout/'.length) ?? '';
  expect(await waiting()).toEqual([{ topic: 'rollout', key: rollout }]);
  await db.sql.deleteFrom('outbox').execute();
  await db.sql.updateTable('rollout').set({ ended_at: clock.now() }).execute();
  await tellOpenRollouts(db.sql);
  expect(await waiting()).toEqual([]);
});
