import { randomUUID } from 'node:crypto';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { CardActivities } from '../../activities/cards.ts';
import { createFollowActivities, type FollowActivities } from '../../activities/follow.ts';
import { beginAction } from '../../src/actions/begin.ts';
import { completeAction } from '../../src/actions/complete.ts';
import { correctAction } from '../../src/actions/correct.ts';
import { sweepActions } from '../../src/actions/sweep.ts';
import { ManualClock } from '../../src/clock.ts';
import { workflowBundle } from '../../src/temporal/bundle.ts';
import {
  changed,
  GOVERNED_ACTION_WORKFLOW,
  governedActionWorkflowId,
} from '../../workflows/governed-action.contract.ts';
import type { governedAction } from '../../workflows/governed-action.ts';
import { visibleText } from '../fakes/slack/visible.ts';
import { CHANNEL, type Desk, openDesk, SLACK_AGENT_YAML } from '../integration/slack/support.ts';
import {
  agentActor,
  givenAsked,
  givenPendingAction,
  onCallActor,
  RELEASE_YAML,
} from '../support/fixtures.ts';
import { keepHistory } from '../support/histories.ts';
import { createTimeSkippingEnv } from '../support/test-server.ts';

let environment: TestWorkflowEnvironment;
let desk: Desk;
let taskQueue: string;
const started = new Set<string>();

beforeAll(async () => {
  environment = await createTimeSkippingEnv();
});
afterAll(() => environment?.teardown());
beforeEach(async () => {
  taskQueue = randomUUID();
  desk = await openDesk({ clock: new ManualClock(new Date(await environment.currentTimeMs())) });
});
afterEach(async () => {
  // What still waits for a worker would hold the environment's clock.
  for (const id of started)
    await environment.client.workflow
      .getHandle(id)
      .terminate()
      .catch(() => undefined);
  started.clear();
  await desk[Symbol.asyncDispose]();
});

/** The store's time is the environment's, and its sweeper runs as it does in the service. */
function activities(): CardActivities & FollowActivities {
  const { services, app } = desk;
  const { followAction } = createFollowActivities({ services, slack: app.port });
  const atThisTime = async () => {
    desk.services.clock.moveTo(new Date(await environment.currentTimeMs()));
    await sweepActions(desk.services);
  };
  return {
    async followAction(id) {
      await atThisTime();
      return followAction(id);
    },
    async syncActionCards(id) {
      await atThisTime();
      return desk.cards.syncActionCards(id);
    },
    async remindAction(id) {
      await atThisTime();
      return desk.cards.remindAction(id);
    },
  };
}

async function withWorker<T>(body: () => Promise<T>): Promise<T> {
  const { code } = await workflowBundle();
  const worker = await Worker.create({
    connection: environment.nativeConnection,
    taskQueue,
    workflowBundle: { code },
    activities: activities(),
    maxCachedWorkflows: 0,
  });
  return worker.runUntil(body);
}

/** What the dispatcher does with an outbox entry. */
async function tell(actionId: string): Promise<WorkflowHandle<typeof governedAction>> {
  const workflowId = governedActionWorkflowId(actionId);
  started.add(workflowId);
  return environment.client.workflow.signalWithStart<typeof governedAction>(GOVERNED_ACTION_WORKFLOW, {
    workflowId,
    taskQueue,
    args: [{ actionId }],
    signal: changed,
  });
}

/** The workflow has seen the action and sleeps. */
async function asleep(handle: WorkflowHandle<typeof governedAction>): Promise<void> {
  const timers = async () =>
    (await handle.fetchHistory()).events?.filter((event) => event.timerStartedEventAttributes).length;
  await expect.poll(timers).toBeGreaterThan(0);
}

test('an unanswered action is reminded of once and ends expired, on its card too', async () => {
  const action = await givenPendingAction(desk.services);
  const handle = await tell(action.id);
  expect(await withWorker(() => handle.result())).toBe('expired');
  await keepHistory(handle, 'governed-action/reminded-and-expired-v2');
  const [card, ...others] = desk.slack.messages(CHANNEL);
  expect(others.map(({ text }) => text)).toEqual([expect.stringContaining('still waiting for an answer')]);
  expect(visibleText(card ?? { blocks: [] })).toContain('Expired unanswered');
  expect(card?.text).toContain('Nobody denied it');
});

test('an approved action is followed through its execution; a correction is a run of its own', async () => {
  const action = await givenPendingAction(desk.services);
  const handle = await tell(action.id);
  await withWorker(async () => {
    const card = await desk.slack.nextMessage(CHANNEL);
    await desk.slack.click(card, 'Approve', 'U0ANA').ack();
    await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Ana'));
    await tell(action.id);
    await beginAction(desk.services, agentActor(), { id: action.id, executionId: 'e-1' });
    await tell(action.id);
    await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('*Execution:* Begun'));
    await completeAction(desk.services, agentActor(), { id: action.id, executionId: 'e-1', ok: true });
    await tell(action.id);
    expect(await handle.result()).toBe('executed');
    await keepHistory(handle, 'governed-action/approved-and-executed-v2');
    await correctAction(desk.services, onCallActor(), { id: action.id, reason: 'The other room' });
    const again = await tell(action.id);
    expect(await again.result()).toBe('executed');
    await keepHistory(again, 'governed-action/corrected-v2');
    expect(visibleText(desk.slack.message(CHANNEL, card.ts) ?? card)).toContain('Reported as wrong by Cleo');
  });
  expect(desk.slack.messages(CHANNEL)).toHaveLength(1);
});

test('a decision counts while no worker runs; the card follows when one is back', async () => {
  const action = await givenPendingAction(desk.services);
  const handle = await tell(action.id);
  await withWorker(() => asleep(handle));
  const [card] = desk.slack.messages(CHANNEL);
  if (!card) throw new Error('no card');
  desk.slack.fail('chat.update', { kind: 'http', status: 503 });
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  expect((await desk.slack.nextEphemeral('U0ANA')).text).toContain('your approval counts');
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved' });
  await tell(action.id);
  await withWorker(async () => {
    await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Ana'));
  });
});

test('an execution that is never reported ends unknown; a late report is a run of its own', async () => {
  const action = await givenPendingAction(desk.services);
  const handle = await tell(action.id);
  await withWorker(async () => {
    const card = await desk.slack.nextMessage(CHANNEL);
    await desk.slack.click(card, 'Approve', 'U0ANA').ack();
    await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Ana'));
    await beginAction(desk.services, agentActor(), { id: action.id, executionId: 'e-1' });
    await tell(action.id);
    expect(await handle.result()).toBe('unknown');
    await keepHistory(handle, 'governed-action/unknown-v2');
    expect(visibleText(desk.slack.message(CHANNEL, card.ts) ?? card)).toContain('*Execution:* Unknown');
    await completeAction(desk.services, agentActor(), {
      id: action.id,
      executionId: 'e-1',
      ok: false,
      error: 'no_seat',
    });
    expect(await (await tell(action.id)).result()).toBe('failed');
    expect(visibleText(desk.slack.message(CHANNEL, card.ts) ?? card)).toContain('no_seat');
  });
});

test('a card Slack refuses for a while is posted when it takes it again', async () => {
  const action = await givenPendingAction(desk.services);
  desk.slack.fail('chat.postMessage', { kind: 'rate-limited', retryAfter: 2 });
  desk.slack.fail('chat.postMessage', { kind: 'error', error: 'not_in_channel' });
  await tell(action.id);
  await withWorker(async () => {
    await environment.sleep('3m');
    expect(desk.slack.messages('D0U0ANA')).toHaveLength(1);
    await environment.sleep('20m');
    expect(desk.slack.messages(CHANNEL)).toHaveLength(1);
  });
  expect((await givenAsked(desk.services)).action.state).toBe('pending');
});

test('nobody answers: each reminder and each escalation has its time, and every copy says how it ended', async () => {
  await desk[Symbol.asyncDispose]();
  desk = await openDesk({
    clock: new ManualClock(new Date(await environment.currentTimeMs())),
    agentYaml: SLACK_AGENT_YAML.replace('desk: [ana, ben] }', 'desk: [ana, ben], leads: [cleo] }'),
    releaseYaml: RELEASE_YAML.replace(
      'approval: desk }',
      'approval: { group: desk, expiresIn: 2h, remindAfter: 5m, escalate: [{ after: 30m, to: leads }] } }',
    ),
  });
  const action = await givenPendingAction(desk.services);
  const handle = await tell(action.id);
  expect(await withWorker(() => handle.result())).toBe('expired');
  await keepHistory(handle, 'governed-action/escalated');
  expect((await desk.row(action.id)).routed).toMatchObject([{ group: 'leads', because: 'unanswered' }]);
  const [card, ...reminders] = desk.slack.messages(CHANNEL);
  expect(reminders).toHaveLength(4);
  const [direct, ...directReminders] = desk.slack.messages('D0U0CLEO');
  expect(directReminders).toHaveLength(2);
  for (const copy of [card, direct])
    expect(visibleText(copy ?? { blocks: [] })).toContain('Expired unanswered');
});
