import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { SHARED_QUEUE } from '../../../src/domain/queues.ts';
import { type Portcullis, startPortcullis } from '../../../src/server.ts';
import { givenAdopted, givenRelease, managerActor, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { type OwnTemporal, startOwnTemporal } from '../../support/own-temporal.ts';
import { until } from '../../support/service-process.ts';
import { createStore } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

let temporal: OwnTemporal;
let service: Portcullis;
let client: Client;

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
});
afterAll(async () => {
  await service?.stop();
  await temporal?.stop();
});

const statusOf = async (id: string) => (await client.workflow.getHandle(id).describe()).status.name;

test('workflows for what a restored store does not have end, and make nothing', async () => {
  const { db } = service.services;
  const { agent } = await givenAdopted(service.services);
  await givenRelease(service.services, agent, RELEASE_2_YAML);
  const action = randomUUID();
  const input = { agent: 'desk', release: '2', actor: 'olga', reason: 'before the restore' };
  const lost: [type: string, id: string, args: object][] = [
    ['governedAction', `action/${action}`, { actionId: action }],
    ['alert', 'alert/gone', { alertId: 'gone' }],
    [
      'agentCallback',
      `callback/${action}/1`,
      { actionId: action, revision: 1, state: 'approved', at: '2026-01-01' },
    ],
    ['approvalDigest', 'digest/gone', { agent: 'gone' }],
    // It continues as new, and would make its rollout if it were its first run.
    ['rollout', 'rollout/gone', { ...input, runs: 1 }],
  ];
  await Promise.all(
    lost.map(([type, workflowId, args]) =>
      client.workflow.start(type, { workflowId, taskQueue: SHARED_QUEUE, args: [args] }),
    ),
  );
  for (const [, id] of lost)
    await until(`the end of ${id}`, async () => ['FAILED', 'COMPLETED'].includes(await statusOf(id)));
  expect(await db.sql.selectFrom('rollout').selectAll().execute()).toEqual([]);
});

test('a rollout that waits ends when it looks and is not there', { timeout: 150_000 }, async () => {
  const { db } = service.services;
  const asked = { agent: 'desk', release: '2', reason: 'after the backup' };
  const { id } = await startRollout(service.services, managerActor(), asked);
  service.services.wake();
  const workflow = `rollout/${id}`;
  await until('its workflow', async () => (await statusOf(workflow)) === 'RUNNING');
  const waits = async () =>
    JSON.stringify(await client.workflow.getHandle(workflow).query('nextMove')).includes('wait');
  await until('that it waits', waits);
  // The store as it was before.
  await sql`TRUNCATE rollout CASCADE`.execute(db.sql);
  // It may have looked already.
  await client.workflow
    .getHandle(workflow)
    .signal('changed')
    .catch(() => {});
  await until('its end', async () => (await statusOf(workflow)) === 'FAILED');
  expect(await db.sql.selectFrom('rollout').selectAll().execute()).toEqual([]);
});
