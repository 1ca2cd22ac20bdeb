import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, Worker } from '@temporalio/worker';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createRolloutActivities } from '../../activities/rollouts.ts';
import { ManualClock } from '../../src/clock.ts';
import { QUEUES, SHARED_QUEUE } from '../../src/domain/queues.ts';
import { rolloutById } from '../../src/records/rollout.ts';
import { rolloutStatus } from '../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../src/rollouts/verbs.ts';
import { workflowBundle } from '../../src/temporal/bundle.ts';
import { Patch } from '../../workflows/patches.ts';
import { changedSignal, rolloutWorkflowId } from '../../workflows/rollout.contract.ts';
import type { rollout } from '../../workflows/rollout.ts';
import { givenAdopted, givenRelease, managerActor } from '../support/fixtures.ts';
import { keepHistory } from '../support/histories.ts';
import { otherBuild } from '../support/other-build.ts';
import { createTestServices, type TestServices } from '../support/services.ts';
import { createTimeSkippingEnv } from '../support/test-server.ts';
import { createSkippingWorker } from '../support/workflow-env.ts';

const DAY_MS = 86_400_000;
/** To where a step of three days waits for a person, half a day from its next look: see rollout.test.ts. */
const PAST_GATE_MS = 3.5 * DAY_MS;
const BEFORE = new URL('../support/rollout-before.workflow.ts', import.meta.url).pathname;
const RELEASE = `agent: desk
release: 2
grants:
  - { tool: lookup }
  - { tool: cancel, approval: none }
rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  baseline: { days: 3 }
  constrained: [{ days: 3, exposure: { gold: 50 }, writes: as-granted, gate: { verdicts: no-breach } }]
  scale:
    - { days: 3, exposure: { '*': 50 }, gate: { verdicts: no-breach } }
    - { days: 3, exposure: { '*': 100 }, gate: { verdicts: no-breach } }
`;

let environment: TestWorkflowEnvironment;
let clock: ManualClock;
let services: TestServices;
beforeEach(async () => {
  environment = await createTimeSkippingEnv();
  clock = new ManualClock(new Date(await environment.currentTimeMs()));
  services = await createTestServices({ clock });
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, RELEASE);
});
afterEach(async () => {
  await services.close();
  await environment.teardown();
});

const start = (taskQueue: string) =>
  environment.client.workflow.start<typeof rollout>('rollout', {
    workflowId: rolloutWorkflowId('open'),
    taskQueue,
    args: [
      {
        agent: 'desk',
        release: '2',
        actor: 'olga',
        reason: 'cancellations may run unasked',
        noneYet: 'nothing went wrong',
      },
    ],
  });

async function approve(handle: WorkflowHandle<typeof rollout>): Promise<void> {
  clock.moveTo(new Date(await environment.currentTimeMs()));
  await runRolloutVerb(services, managerActor(), { id: 'open', verb: 'approve-gate', reason: 'test' });
  await handle.signal(changedSignal);
}

const waitsFor = async () => (await rolloutStatus(services, 'open')).waitsFor.map((wait) => wait.for);
const stepIndex = async () => (await rolloutById(services.db.sql, 'open')).step_index;

async function worker(
  taskQueue: string,
  bundle?: { code: string },
  activities: object = createRolloutActivities(services),
): Promise<Worker> {
  const options = { taskQueue, bundle, replaysAlways: true };
  return (await createSkippingWorker(environment, clock, activities, options)).worker;
}

test('a gate’s rule that changes under an open rollout holds from its next look; the history replays with both', async () => {
  const handle = await (await worker('q')).runUntil(async () => {
    const started = await start('q');
    await environment.sleep(PAST_GATE_MS);
    await approve(started);
    await environment.sleep(PAST_GATE_MS);
    return started;
  });
  expect([await stepIndex(), await waitsFor()]).toEqual([1, ['person']]);
  const build = otherBuild({
    'src/domain/rollout/phase.ts': (text) =>
      text.replaceAll('gate.approve', "gate.approve && stepAt(facts).phase === 'baseline'"),
  });
  try {
    const { createRolloutActivities: create } =
      await build.load<typeof import('../../activities/rollouts.ts')>('activities/rollouts.ts');
    const bundle = await build.bundle();
    await (await worker('q', bundle, create(services))).runUntil(async () => {
      await handle.signal(changedSignal);
      await environment.sleep(DAY_MS);
      expect(await stepIndex()).toBe(2);
      await environment.sleep(7 * DAY_MS);
      await handle.result();
    });
    expect(await rolloutById(services.db.sql, 'open')).toMatchObject({ status: 'completed', step_index: 3 });
    const history = await handle.fetchHistory();
    for (const workflowBundle of [await thisBundle(), bundle])
      await Worker.runReplayHistory({ workflowBundle }, history);
  } finally {
    build[Symbol.dispose]();
  }
});

test('an open rollout of the version before goes on under this one, on a queue of its own, and both of its runs replay', async () => {
  const before = await bundleWorkflowCode({ workflowsPath: BEFORE });
  const { firstExecutionRunId } = await (await worker(SHARED_QUEUE, before)).runUntil(async () => {
    const started = await start(SHARED_QUEUE);
    await environment.sleep(PAST_GATE_MS);
    return started;
  });
  expect(await waitsFor()).toEqual(['person']);
  const latest = environment.client.workflow.getHandle<typeof rollout>(rolloutWorkflowId('open'));
  const [shared, own] = await Promise.all([worker(SHARED_QUEUE), worker(QUEUES.rollouts)]);
  await shared.runUntil(
    own.runUntil(async () => {
      await approve(latest);
      for (const gate of [2, 3, 4]) {
        await environment.sleep(PAST_GATE_MS);
        expect([gate, await waitsFor()]).toEqual([gate, ['person']]);
        await approve(latest);
      }
      await latest.result();
    }),
  );
  expect(await rolloutById(services.db.sql, 'open')).toMatchObject({ status: 'completed', step_index: 3 });
  const first = environment.client.workflow.getHandle(rolloutWorkflowId('open'), firstExecutionRunId);
  expect((await latest.describe()).taskQueue).toBe(QUEUES.rollouts);
  expect((await first.describe()).status.name).toBe('CONTINUED_AS_NEW');
  for (const handle of [first, latest]) {
    const history = await handle.fetchHistory();
    expect(patchesOf(history)).toEqual([Patch.AskForMove]);
    await Worker.runReplayHistory({ workflowBundle: await thisBundle() }, history);
  }
  await keepHistory(first, 'rollout/moved-on');
});

type History = Awaited<ReturnType<WorkflowHandle['fetchHistory']>>;

/** Which patches a run has come to. */
const patchesOf = ({ events }: History): unknown[] =>
  (events ?? [])
    .flatMap(({ markerRecordedEventAttributes: marker }) => marker?.details?.['patch-data']?.payloads ?? [])
    .map(({ data }) => JSON.parse(Buffer.from(data ?? []).toString()).id);

const thisBundle = async () => ({ code: (await workflowBundle()).code });
