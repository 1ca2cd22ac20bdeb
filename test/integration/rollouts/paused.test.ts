import { expect, test } from 'vitest';
import { waitsOf } from '../../../src/domain/rollout/phase.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { makeMove, planMove } from '../../../src/rollouts/next-move.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import type { RolloutVerb } from '../../../src/rollouts/verb.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import {
  AGENT_YAML,
  agentFrom,
  givenAdopted,
  givenRelease,
  managerActor,
  RELEASE_2_YAML,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';

const HOUR_MS = 3_600_000;

async function given(services: TestServices): Promise<string> {
  await givenAdopted(services);
  await givenRelease(services, agentFrom(AGENT_YAML), RELEASE_2_YAML);
  const asked = { agent: 'desk', release: '2', reason: 'ready' };
  return (await startRollout(services, managerActor(), asked)).id;
}

const say = (services: TestServices, id: string, verb: RolloutVerb, reason: string) =>
  runRolloutVerb(services, managerActor(), { id, verb, reason });
const paused = async (services: TestServices, id: string) =>
  (await rolloutStatus(services, id)).waitsFor.find((wait) => wait.for === 'paused')?.detail;

describeWithServices('the status of a paused rollout', (make) => {
  test('says who paused it, when and why, in one line; nothing of it when it was resumed', async () => {
    const services = await make();
    const id = await given(services);
    const manager = managerActor().id;
    await say(services, id, 'pause', 'costs look wrong:\n\tsee the dashboard');
    services.clock.advance(2 * HOUR_MS);
    const line = `paused by ${manager} 2 h ago: costs look wrong: see the dashboard (rollout resume)`;
    expect(await paused(services, id)).toBe(line);
    expect(waitsOf(await rolloutFacts(services, id))).toContainEqual({ for: 'paused', detail: line });
    await say(services, id, 'pause', 'said again');
    expect(await paused(services, id)).toBe(line);
    await say(services, id, 'resume', 'they are right');
    expect(await paused(services, id)).toBeUndefined();
    expect(await rolloutById(services.db.sql, id)).toMatchObject({
      paused_at: null,
      paused_by: null,
      paused_because: null,
    });
    await say(services, id, 'reject-gate', 'the desk is closed');
    expect(await paused(services, id)).toBe(
      `paused by ${manager} 0 s ago: the gate of step 1 is rejected: the desk is closed (rollout resume)`,
    );
  });

  test('says that nobody answered a gate', async () => {
    const services = await make();
    const id = await given(services);
    await services.db.sql.updateTable('rollout').set({ baseline_locked_at: services.clock.now() }).execute();
    services.clock.advance(30 * services.dayMs);
    const asked = services.clock.now().toISOString();
    const move = async () => makeMove(services, await planMove(services, id));
    await move();
    services.clock.advance(21 * services.dayMs);
    await move();
    services.clock.advance(HOUR_MS);
    expect(await paused(services, id)).toBe(
      `held by the plan 60 min ago: nobody answered the gate of step 1 since ${asked} (rollout resume)`,
    );
  });

  test('says only that, of one that an earlier version paused', async () => {
    const services = await make();
    const id = await given(services);
    await services.db.sql.updateTable('rollout').set({ status: 'paused' }).execute();
    expect(await paused(services, id)).toBe('it is paused (rollout resume)');
  });

  test('says nobody’s name that an earlier version, which runs beside this one, left standing', async () => {
    const services = await make();
    const id = await given(services);
    const { sql } = services.db;
    const earlier = (set: { status?: 'running' | 'paused'; held_for_version?: string | null }) =>
      sql.updateTable('rollout').set(set).where('id', '=', id).execute();
    await say(services, id, 'pause', 'costs look wrong');
    await earlier({ status: 'running' });
    await earlier({ status: 'paused' });
    expect(await paused(services, id)).toBe('it is paused (rollout resume)');
    await earlier({ status: 'running' });
    await say(services, id, 'pause', 'costs look wrong again');
    expect(await paused(services, id)).toContain('paused by olga 0 s ago: costs look wrong again');

    await sql
      .updateTable('rollout')
      .set({ held_for_version: '2', held_for_version_at: services.clock.now() })
      .execute();
    services.clock.advance(HOUR_MS);
    expect(await rolloutFacts(services, id)).toMatchObject({ heldForVersionMs: HOUR_MS });
    await earlier({ held_for_version: '3' });
    expect(await rolloutFacts(services, id)).not.toHaveProperty('heldForVersionMs');
  });
});
