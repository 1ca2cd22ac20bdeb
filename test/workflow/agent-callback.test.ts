import { ApplicationFailure } from '@temporalio/common';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type CallbackActivities, createCallbackActivities } from '../../activities/callbacks.ts';
import { ManualClock } from '../../src/clock.ts';
import { verifyWebhook } from '../../src/sdk/index.ts';
import {
  AGENT_CALLBACK_WORKFLOW,
  type AgentCallbackInput,
  agentCallbackWorkflowId,
} from '../../workflows/agent-callback.contract.ts';
import type { agentCallback } from '../../workflows/agent-callback.ts';
import { AGENT_YAML, givenAdopted, givenPendingAction } from '../support/fixtures.ts';
import { keepHistory } from '../support/histories.ts';
import { openReceiver, type Receiver } from '../support/receiver.ts';
import { createTestServices, type TestServices } from '../support/services.ts';
import { createTimeSkippingEnv } from '../support/test-server.ts';
import { createSkippingWorker } from '../support/workflow-env.ts';

const HOUR_MS = 3_600_000;
const SECRET = 'a secret of the test';

let environment: TestWorkflowEnvironment;
let services: TestServices;
let receiver: Receiver;
let clock: ManualClock;
beforeEach(async () => {
  environment = await createTimeSkippingEnv();
  clock = new ManualClock(new Date(await environment.currentTimeMs()));
  services = await createTestServices({ clock });
  receiver = await openReceiver();
  await givenAdopted(services, { agentYaml: `${AGENT_YAML}callback: { url: "${receiver.url}" }\n` });
});
afterEach(async () => {
  await receiver[Symbol.asyncDispose]();
  await services.close();
  await environment.teardown();
});

/** A callback about an action that expired, begun now. */
async function givenCallback(replaced?: CallbackActivities) {
  const { id } = await givenPendingAction(services);
  const input: AgentCallbackInput = {
    actionId: id,
    revision: 2,
    state: 'expired',
    at: clock.now().toISOString(),
  };
  const activities = replaced ?? createCallbackActivities({ services, webhookSecret: SECRET });
  const { worker, taskQueue } = await createSkippingWorker(environment, clock, activities);
  const start = () =>
    environment.client.workflow.start<typeof agentCallback>(AGENT_CALLBACK_WORKFLOW, {
      workflowId: agentCallbackWorkflowId(input),
      taskQueue,
      args: [input],
    });
  return { input, worker, start };
}

test('a receiver that is away for ten hours is told when it is back, under the same id and a new signature', async () => {
  const { input, worker, start } = await givenCallback();
  const startedAt = clock.now().getTime();
  // 1 s, 2 s, ... 256 s, then every 5 minutes.
  receiver.answers.push(...Array<number>(9 + (10 * 60) / 5).fill(503));
  await worker.runUntil(async () => {
    const handle = await start();
    expect(await handle.result()).toBe('sent');
    await keepHistory(handle, 'agent-callback/taken-later');
  });
  const tookMs = clock.now().getTime() - startedAt;
  expect(tookMs / HOUR_MS).toBeGreaterThan(9.9);
  expect(tookMs / HOUR_MS).toBeLessThan(10.5);
  const last = receiver.received.at(-1);
  const webhook = verifyWebhook(SECRET, last?.headers ?? {}, last?.body ?? '', clock.now());
  expect(webhook).toMatchObject({ id: `${input.actionId}/2`, type: 'action.expired', timestamp: input.at });
  const ids = new Set(receiver.received.map(({ headers }) => headers['webhook-id']));
  expect(ids).toEqual(new Set([`${input.actionId}/2`]));
});

test('after three days it is given up, and the workflow says so', async () => {
  const failure = { message: 'The webhook was not taken: status 500', type: 'webhook.failed' };
  const { worker, start } = await givenCallback({
    // Tried seldom: three days of attempts every five minutes take long even where time is skipped.
    deliverCallback: () =>
      Promise.reject(ApplicationFailure.create({ ...failure, nextRetryDelay: '5 hours' })),
  });
  // Its own times: once it has ended, nothing keeps the server from skipping years.
  const { startTime, closeTime } = await worker.runUntil(async () => {
    const handle = await start();
    await expect(handle.result()).rejects.toThrow();
    return handle.describe();
  });
  const tookMs = (closeTime?.getTime() ?? 0) - startTime.getTime();
  expect(tookMs / HOUR_MS).toBeGreaterThan(64);
  expect(tookMs / HOUR_MS).toBeLessThan(73);
});
