import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createRolloutActivities } from '../../activities/rollouts.ts';
import { applyAgent } from '../../src/agents/apply.ts';
import { ManualClock } from '../../src/clock.ts';
import { manifestOf } from '../../src/records/manifest.ts';
import { rolloutById } from '../../src/records/rollout.ts';
import { rolloutStatus } from '../../src/rollouts/status.ts';
import type { RolloutVerb } from '../../src/rollouts/verb.ts';
import { runRolloutVerb } from '../../src/rollouts/verbs.ts';
import { changedSignal, rollbackSignal, rolloutWorkflowId } from '../../workflows/rollout.contract.ts';
import type { rollout } from '../../workflows/rollout.ts';
import { givenAdopted, givenRelease, managerActor } from '../support/fixtures.ts';
import { keepHistory } from '../support/histories.ts';
import { createTestServices, type TestServices } from '../support/services.ts';
import { createTimeSkippingEnv } from '../support/test-server.ts';
import { createSkippingWorker } from '../support/workflow-env.ts';

// Before a person acts, time ends half a day or hours away from the workflow's daily look: this server leaves a run for ever
// that cancels a timer which fired meanwhile (sdk-java 3088).
const DAY_MS = 86_400_000;
const RELEASE = `agent: desk
release: 2
grants:
  - { tool: lookup }
  - { tool: cancel, approval: none }
rollout:
  signedOffBy: olga
  guardrails: [{ metric: wrong, limit: 0.2, reason: more than today }]
  constrained:
    - { days: 15, exposure: { gold: 25 } }
    - { days: 15, exposure: { gold: 50 }, gate: { verdicts: no-breach } }
  scale:
    - { days: 15, exposure: { '*': 50 }, gate: { verdicts: no-breach } }
    - { days: 15, exposure: { '*': 100 }, gate: { verdicts: no-breach, checklist: [the desk agrees] } }
`;

let environment: TestWorkflowEnvironment;
let services: TestServices;

beforeEach(async () => {
  environment = await createTimeSkippingEnv();
});
afterEach(async () => {
  await services.close();
  await environment.teardown();
});

/** A rollout started as `temporal workflow start` would, with the verbs a person has. */
async function givenRollout(id: string) {
  const clock = new ManualClock(new Date(await environment.currentTimeMs()));
  services = await createTestServices({ clock });
  const { agent } = await givenAdopted(services);
  await givenRelease(services, agent, RELEASE);
  const { worker, taskQueue } = await createSkippingWorker(
    environment,
    clock,
    createRolloutActivities(services),
  );
  const start = () =>
    environment.client.workflow.start<typeof rollout>('rollout', {
      workflowId: rolloutWorkflowId(id),
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
  const say = async (handle: WorkflowHandle<typeof rollout>, verb: RolloutVerb, more = {}) => {
    clock.moveTo(new Date(await environment.currentTimeMs()));
    await runRolloutVerb(services, managerActor(), { id, verb, reason: 'test', ...more });
    await handle.signal(changedSignal);
  };
  return { worker, start, say };
}

describe('rollout', () => {
  test('carries a release through 90 days, a person last at every gate', async () => {
    const { worker, start, say } = await givenRollout('whole');
    const seen: string[] = [];
    await worker.runUntil(async () => {
      const handle = await start();
      for (let step = 0; step < 5; step++) {
        await environment.sleep(step === 0 ? 30 * DAY_MS + 3_600_000 : 15 * DAY_MS + 7_200_000);
        const status = await rolloutStatus(services, 'whole');
        seen.push(`${status.phase} ${status.waitsFor.map((wait) => wait.for).join('+')}`);
        await say(handle, 'approve-gate', { checklist: ['the desk agrees'] });
      }
      await handle.result();
      await keepHistory(handle, 'rollout/completed-v2');
    });
    expect(seen).toEqual([
      'baseline person',
      'constrained person',
      'constrained person',
      'scale person',
      'scale checklist+person',
    ]);
    const done = await rolloutById(services.db.sql, 'whole');
    expect(done).toMatchObject({ status: 'completed', step_index: 4 });
    expect(done.baseline_digest).toMatch(/^[0-9a-f]{64}$/);
    const inForce = await services.db.sql.selectFrom('in_force').select('release').execute();
    expect(inForce.map((row) => row.release)).toEqual(['2', '2']);
  });

  test('goes on for a segment that joined on the way, until it took every step', async () => {
    const { worker, start, say } = await givenRollout('joined');
    const seen: string[] = [];
    await worker.runUntil(async () => {
      const handle = await start();
      for (let step = 0; step < 6; step++) {
        await environment.sleep(step === 0 ? 30 * DAY_MS + 3_600_000 : 15 * DAY_MS + 7_200_000);
        const { segments, steps } = await rolloutStatus(services, 'joined');
        seen.push(`${steps}: ${segments.map((one) => `${one.segment} ${one.exposurePercent}`).join(', ')}`);
        if (step === 3) {
          const vip = { name: 'vip', when: 'context.tier == "vip"', representative: true };
          const agent = await manifestOf(services.db.sql, 'desk');
          await applyAgent(services, managerActor(), { ...agent, segments: [...agent.segments, vip] });
        }
        await say(handle, 'approve-gate', { checklist: ['the desk agrees'] });
      }
      await handle.result();
    });
    expect(seen).toEqual([
      '5: default 0, gold 0',
      '5: default 0, gold 25',
      '5: default 0, gold 50',
      '5: default 50, gold 50',
      '6: default 100, gold 100, vip 50',
      '6: default 100, gold 100, vip 100',
    ]);
    const inForce = await services.db.sql.selectFrom('in_force').select(['segment', 'release']).execute();
    expect(inForce.map(({ segment, release }) => `${segment} ${release}`).sort()).toEqual([
      ...['default 2', 'gold 2', 'vip 2'],
    ]);
  });

  test('stands still while paused and goes on where it stood', async () => {
    const { worker, start, say } = await givenRollout('paused');
    await worker.runUntil(async () => {
      const handle = await start();
      await environment.sleep(10 * DAY_MS);
      await say(handle, 'pause');
      await environment.sleep(40.5 * DAY_MS);
      const held = await rolloutStatus(services, 'paused');
      expect(held.waitsFor.map((wait) => wait.for)).toEqual(['paused', 'time', 'person']);
      await say(handle, 'resume');
      await environment.sleep(20.5 * DAY_MS);
      const after = await rolloutStatus(services, 'paused');
      expect(after.waitsFor.map((wait) => wait.for)).toEqual(['person']);
      expect(after.plan).toMatch(/4[01] late/);
      await say(handle, 'rollback');
      await handle.result();
      await keepHistory(handle, 'rollout/paused-and-resumed-v2');
    });
  });

  test('rolls back by a Temporal signal of a person with standing, and refuses others', async () => {
    const { worker, start, say } = await givenRollout('signalled');
    await worker.runUntil(async () => {
      const handle = await start();
      await environment.sleep(30.5 * DAY_MS);
      await say(handle, 'approve-gate');
      await environment.sleep(DAY_MS);
      await handle.signal(rollbackSignal, { actor: 'ana', reason: 'not mine to say', segment: 'gold' });
      await environment.sleep(3_600_000);
      expect((await rolloutStatus(services, 'signalled')).segments[1]).toMatchObject({
        segment: 'gold',
        state: 'exposed',
      });
      await handle.signal(rollbackSignal, { actor: 'cleo', reason: 'guests complain', segment: 'gold' });
      await environment.sleep(3_600_000);
      const gold = (await rolloutStatus(services, 'signalled')).segments[1];
      expect(gold).toMatchObject({ state: 'rolled_back', exposurePercent: 0, generation: 2, release: '1' });
      await handle.signal(rollbackSignal, { actor: 'olga', reason: 'all of it' });
      await handle.result();
      await keepHistory(handle, 'rollout/rolled-back-by-signal-v2');
    });
    expect(await rolloutById(services.db.sql, 'signalled')).toMatchObject({ status: 'rolled_back' });
  });

  test('refuses to start for somebody without standing, with the reason', async () => {
    const { worker, start } = await givenRollout('never');
    await worker.runUntil(async () => {
      await services.db.sql
        .updateTable('agent')
        .set({ manifest: JSON.stringify({ ...(await manifest()), owners: ['cleo'] }) })
        .execute();
      const handle = await start();
      await expect(handle.result()).rejects.toMatchObject({ cause: { cause: { type: 'forbidden' } } });
      await keepHistory(handle, 'rollout/refused');
    });
  });
});

const manifest = async () =>
  (await services.db.sql.selectFrom('agent').select('manifest').executeTakeFirstOrThrow()).manifest;
