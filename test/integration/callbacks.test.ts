import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createCallbackActivities } from '../../activities/callbacks.ts';
import { beginAction } from '../../src/actions/begin.ts';
import { completeAction } from '../../src/actions/complete.ts';
import { sweepActions } from '../../src/actions/sweep.ts';
import { withdrawAction } from '../../src/actions/withdraw.ts';
import { applyAgent } from '../../src/agents/apply.ts';
import { answerAction } from '../../src/approvals/answer.ts';
import { actionById } from '../../src/records/action.ts';
import { type ActionCallback, verifyWebhook } from '../../src/sdk/index.ts';
import { disable } from '../../src/switches/disable.ts';
import { workflowBundle } from '../../src/temporal/bundle.ts';
import { dispatchOutbox } from '../../src/temporal/dispatch.ts';
import type { AgentCallbackInput } from '../../workflows/agent-callback.contract.ts';
import { testTemporal } from '../support/context.ts';
import {
  AGENT_YAML,
  agentActor,
  agentFrom,
  approverActor,
  givenAdopted,
  givenAsked,
  givenBegunAction,
  givenPendingAction,
  managerActor,
  onCallActor,
} from '../support/fixtures.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { createTestServices, describeWithServices, type TestServices } from '../support/services.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const withCallback = (url: string): string => `${AGENT_YAML}callback: { url: "${url}" }\n`;

/** What the outbox holds for the agent's server, as `state/revision` of each action. */
async function queued({ db }: TestServices): Promise<Record<string, string[]>> {
  const rows = await db.sql
    .selectFrom('outbox')
    .select(['key', 'payload'])
    .where('topic', '=', 'callback')
    .orderBy('id')
    .execute();
  const all: Record<string, string[]> = {};
  for (const { key, payload } of rows) {
    const [id = '', revision] = key.split('/');
    all[id] = [...(all[id] ?? []), `${payload.state}/${revision}`];
  }
  return all;
}

describeWithServices('callbacks are queued', (make) => {
  test('with each change that the agent does not make itself by beginning, the states kept apart', async () => {
    const services = await make();
    await givenAdopted(services, { agentYaml: withCallback('https://agent.test/hook') });
    const run = async (steps: (id: string) => Promise<unknown>) => {
      const { id } = await givenPendingAction(services);
      await steps(id);
      return id;
    };
    const approve = (id: string) => answerAction(services, approverActor(), { id, verdict: 'approve' });
    const begin = (id: string) => beginAction(services, agentActor(), { id, executionId: 'e' });
    const complete = (id: string, ok: boolean) =>
      completeAction(services, agentActor(), { id, executionId: 'e', ok });
    const executed = await run(async (id) => [await approve(id), await begin(id), await complete(id, true)]);
    const failed = await run(async (id) => [await approve(id), await begin(id), await complete(id, false)]);
    const denied = await run((id) => answerAction(services, approverActor(), { id, verdict: 'deny' }));
    const withdrawn = await run((id) => withdrawAction(services, agentActor(), { id }));
    const silent = await givenBegunAction(services);
    services.clock.advance(24 * 3_600_000);
    const expired = await run(async () => {});
    services.clock.advance(24 * 3_600_000);
    await sweepActions(services);
    await complete(silent.id, true).catch(() =>
      completeAction(services, agentActor(), { id: silent.id, executionId: 'e-1', ok: true }),
    );
    const disabled = await run(async () => {});
    await disable(services, onCallActor(), { scope: 'agent/desk', reason: 'fire' });
    expect(await queued(services)).toEqual({
      [executed]: ['approved/2', 'executed/4'],
      [failed]: ['approved/2', 'failed/4'],
      [denied]: ['denied/2'],
      [withdrawn]: ['withdrawn/2'],
      [silent.id]: ['approved/2', 'unknown/4', 'executed/5'],
      [expired]: ['expired/2'],
      [disabled]: ['disabled/2'],
    });
  });

  test('not for reads, not for what policy answers at once, and not without an address', async () => {
    const services = await make();
    await givenAdopted(services, { agentYaml: withCallback('https://agent.test/hook') });
    await givenAsked(services, { tool: 'lookup', args: {} });
    await givenAsked(services, { tool: 'no-such-tool' });
    expect(await queued(services)).toEqual({});
    await applyAgent(services, managerActor(), agentFrom(AGENT_YAML));
    await givenBegunAction(services);
    expect(await queued(services)).toEqual({});
  });

  test('with the change or not at all: a change that is not committed tells nobody', async () => {
    const services = await make();
    await givenAdopted(services, { agentYaml: withCallback('https://agent.test/hook') });
    const { id } = await givenPendingAction(services);
    await answerAction(services, approverActor(), { id, verdict: 'approve' });
    await expect(answerAction(services, approverActor('ben'), { id, verdict: 'deny' })).rejects.toThrow();
    expect(await queued(services)).toEqual({ [id]: ['approved/2'] });
  });
});

describe('a callback', () => {
  let services: TestServices;
  let receiver: Receiver;
  const deliver = (input: AgentCallbackInput, webhookSecret: string | undefined = SECRET) =>
    createCallbackActivities({ services, webhookSecret }).deliverCallback(input);
  const taken = (at: number) => {
    const { headers, body } = receiver.received[at] ?? { headers: {}, body: '' };
    return verifyWebhook<ActionCallback>(SECRET, headers, body, services.clock.now());
  };
  const AT = '2026-01-01T00:00:00.000Z';

  beforeEach(async () => {
    services = await createTestServices();
    receiver = await openReceiver();
    await givenAdopted(services, { agentYaml: withCallback(receiver.url) });
  });
  afterEach(async () => {
    await receiver[Symbol.asyncDispose]();
    await services.close();
  });

  test('is signed and says what became of the action, at that revision, and nothing of its arguments', async () => {
    const { id } = await givenPendingAction(services, {
      args: { id: 'R-77', card: '4111-secret' },
      reason: 'The guest of room 9 asked',
    });
    await answerAction(services, approverActor(), { id, verdict: 'approve' });
    await beginAction(services, agentActor(), { id, executionId: 'e' });
    await completeAction(services, agentActor(), { id, executionId: 'e', ok: true });
    expect(await deliver({ actionId: id, revision: 2, state: 'approved', at: AT })).toBe('sent');
    const data = {
      id,
      agent: 'desk',
      outcome: 'allowed',
      decidedBy: 'person',
      url: `http://portcullis.test/actions/${id}`,
    };
    expect(taken(0)).toEqual({
      id: `${id}/2`,
      type: 'action.approved',
      timestamp: AT,
      data: { ...data, state: 'approved', revision: 2 },
    });
    await deliver({ actionId: id, revision: 4, state: 'executed', at: AT });
    expect(taken(1)).toMatchObject({
      id: `${id}/4`,
      type: 'action.executed',
      data: { state: 'executed', revision: 4 },
    });
    for (const { body } of receiver.received) expect(body).not.toMatch(/R-77|4111-secret|room 9/);
  });

  test('keeps a denial, an expiry and what superseded it apart', async () => {
    const one = async (state: AgentCallbackInput['state'], change: (id: string) => Promise<unknown>) => {
      const { id } = await givenPendingAction(services);
      await change(id);
      await deliver({ actionId: id, revision: 2, state, at: AT });
      return taken(receiver.received.length - 1).data;
    };
    const denied = await one('denied', (id) =>
      answerAction(services, approverActor(), { id, verdict: 'deny', reason: 'Ask the guest first' }),
    );
    expect(denied).toMatchObject({
      outcome: 'denied',
      decidedBy: 'person',
      denyReason: 'Ask the guest first',
    });
    const expired = await one('expired', async () => {
      services.clock.advance(24 * 3_600_000);
      await sweepActions(services);
    });
    expect(expired).toMatchObject({ state: 'expired', outcome: 'denied' });
    expect(expired).not.toHaveProperty('decidedBy');
    expect(expired).not.toHaveProperty('denyReason');
    const superseded = await one('superseded', async (id) => {
      const set = { state: 'superseded', superseded_because: 'rolled_back' } as const;
      await services.db.sql.updateTable('action').set(set).where('id', '=', id).execute();
    });
    expect(superseded).toMatchObject({ state: 'superseded', supersededBecause: 'rolled_back' });
    await deliver({ actionId: superseded.id, revision: 2, state: 'approved', at: AT });
    expect(taken(receiver.received.length - 1).data).not.toHaveProperty('supersededBecause');
  });

  test('is not taken by an error, a redirect or a receiver that hangs; the address stays out of the error', async () => {
    const { id } = await givenPendingAction(services);
    const send = () => deliver({ actionId: id, revision: 2, state: 'withdrawn', at: AT });
    receiver.answers.push(503, 'redirect', 410, 'hang');
    for (const said of ['status 503', 'status 307', 'status 410']) await expect(send()).rejects.toThrow(said);
    const startedAt = performance.now();
    await expect(send()).rejects.toThrow(/^The webhook was not taken: no answer$/);
    expect(performance.now() - startedAt).toBeLessThan(8_000);
    expect(receiver.received.map(({ path }) => path)).toEqual(Array(4).fill('/callback'));
    expect(await send()).toBe('sent');
    expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id']))).toEqual(
      new Set([`${id}/2`]),
    );
  });

  test('without a secret, an address or an action nothing is sent, and it is said', async () => {
    const { id } = await givenPendingAction(services);
    const input = { actionId: id, revision: 2, state: 'expired', at: AT } as const;
    const { deliverCallback } = createCallbackActivities({ services });
    expect(await deliverCallback(input)).toBe('no secret');
    await applyAgent(services, managerActor(), agentFrom(AGENT_YAML));
    expect(await deliver(input)).toBe('no url');
    await expect(deliver({ ...input, actionId: randomUUID() })).rejects.toMatchObject({ nonRetryable: true });
    expect(receiver.received).toEqual([]);
  });
});

/** The server knows a version once its worker has polled. */
const makeCurrent = (client: Client, version: { deploymentName: string; buildId: string }) =>
  expect
    .poll(() =>
      client.workflowService
        .setWorkerDeploymentCurrentVersion({
          namespace: 'default',
          ...version,
          ignoreMissingTaskQueues: true,
        })
        .then(() => 'current', String),
    )
    .toBe('current');

describe('with Temporal', () => {
  let services: TestServices;
  let receiver: Receiver;
  let connection: Connection;
  let native: NativeConnection;
  beforeAll(async () => {
    services = await createTestServices();
    receiver = await openReceiver();
    const { address } = testTemporal();
    [connection, native] = await Promise.all([
      Connection.connect({ address }),
      NativeConnection.connect({ address }),
    ]);
    await givenAdopted(services, { agentYaml: withCallback(receiver.url) });
  });
  afterAll(async () => {
    await Promise.all([connection.close(), native.close(), receiver[Symbol.asyncDispose]()]);
    await services.close();
  });

  test('each change arrives once, through a receiver that fails and an outbox that is told twice', async () => {
    const taskQueue = randomUUID();
    const client = new Client({ connection });
    const { code, buildId } = await workflowBundle();
    const version = { deploymentName: taskQueue, buildId };
    const worker = await Worker.create({
      connection: native,
      taskQueue,
      workflowBundle: { code },
      activities: createCallbackActivities({ services, webhookSecret: SECRET }),
      workerDeploymentOptions: {
        useWorkerVersioning: true,
        version,
        defaultVersioningBehavior: 'AUTO_UPGRADE',
      },
    });
    const { id } = await givenBegunAction(services);
    await completeAction(services, agentActor(), { id, executionId: 'e-1', ok: true });
    expect((await actionById(services.db.sql, id)).state).toBe('executed');
    await services.db.sql.deleteFrom('outbox').where('topic', '=', 'action').execute();
    const rows = await services.db.sql.selectFrom('outbox').select(['topic', 'key', 'payload']).execute();
    receiver.answers.push(503, 500);
    await worker.runUntil(async () => {
      await makeCurrent(client, version);
      expect(await dispatchOutbox(services, client, { queue: () => taskQueue })).toBe(2);
      const ended = () =>
        Promise.all([2, 4].map((at) => client.workflow.getHandle(`callback/${id}/${at}`).result()));
      expect(await ended()).toEqual(['sent', 'sent']);
      // The process died before it could take them off the outbox.
      const again = rows.map((row) => ({ ...row, payload: JSON.stringify(row.payload) }));
      await services.db.sql.insertInto('outbox').values(again).execute();
      expect(await dispatchOutbox(services, client, { queue: () => taskQueue })).toBe(2);
      await ended();
    });
    const ids = receiver.received.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids)).toEqual(new Set([`${id}/2`, `${id}/4`]));
    expect(ids).toHaveLength(4);
    expect(await services.db.sql.selectFrom('outbox').selectAll().execute()).toEqual([]);
  });
});
