import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createActivities } from '../../activities/index.ts';
import { answerAction } from '../../src/approvals/answer.ts';
import { ManualClock } from '../../src/clock.ts';
import { DIGEST_EVERY_MS } from '../../src/reaching/digest.ts';
import { dispatchOutbox } from '../../src/temporal/dispatch.ts';
import { approvalDigestWorkflowId } from '../../workflows/approval-digest.contract.ts';
import { visibleText } from '../fakes/slack/visible.ts';
import { CHANNEL, type Desk, openDesk, SLACK_AGENT_YAML } from '../integration/slack/support.ts';
import { approverActor, givenPendingAction, RELEASE_YAML } from '../support/fixtures.ts';
import { keepHistory } from '../support/histories.ts';
import { createTimeSkippingEnv } from '../support/test-server.ts';
import { createSkippingWorker } from '../support/workflow-env.ts';

const MINUTE_MS = 60_000;

let environment: TestWorkflowEnvironment;
let desk: Desk;
beforeAll(async () => {
  environment = await createTimeSkippingEnv();
  desk = await openDesk({
    clock: new ManualClock(new Date(await environment.currentTimeMs())),
    agentYaml: SLACK_AGENT_YAML.replace(
      '    reversibility: compensable',
      '    risk: low\n    reversibility: compensable',
    ),
    releaseYaml: RELEASE_YAML.replace(
      'approval: desk }',
      'approval: { group: desk, expiresIn: 4h, notify: digest } }',
    ),
  });
});
afterAll(async () => {
  await desk[Symbol.asyncDispose]();
  await environment.teardown();
});

test('low risks are told in one digest by its own workflow, which shows what was answered and ends', async () => {
  const { services, app, slack } = desk;
  const activities = createActivities({ services, slack: app.port, slots: { alerts: 4, callbacks: 4 } });
  const { worker, taskQueue } = await createSkippingWorker(environment, services.clock, activities);
  const dispatch = () => dispatchOutbox(services, environment.client, { queue: () => taskQueue });
  const handle = environment.client.workflow.getHandle(approvalDigestWorkflowId('desk'));
  const first = await givenPendingAction(services);
  const second = await givenPendingAction(services);
  await worker.runUntil(async () => {
    await dispatch();
    await expect.poll(async () => (await desk.row(second.id)).reach?.state).toBe('queued');
    await expect.poll(async () => (await desk.row(first.id)).reach?.state).toBe('queued');
    await dispatch();
    expect(slack.messages(CHANNEL)).toEqual([]);
    await environment.sleep(DIGEST_EVERY_MS + MINUTE_MS);
    const digest = await slack.nextMessage(CHANNEL, ({ text }) => text.includes('2 low-risk requests'));
    await handle.result();
    await keepHistory(handle, 'approval-digest/posted');
    const { runId: posted } = await handle.describe();
    await dispatch();
    await expect.poll(async () => (await desk.row(first.id)).reach?.state).toBe('delivered');
    for (const { id } of [first, second])
      await answerAction(services, approverActor(), { id, verdict: 'approve' });
    const latest = async () => {
      await dispatch();
      return (await handle.describe()).runId;
    };
    await expect.poll(latest).not.toBe(posted);
    await handle.result();
    await keepHistory(handle, 'approval-digest/answered');
    const shown = slack.message(CHANNEL, digest.ts) ?? digest;
    expect(visibleText(shown)).toContain(
      'All 2 low-risk requests of agent desk that stood here are answered',
    );
    expect(slack.messages(CHANNEL)).toHaveLength(1);
  });
});
