import { expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { rolloutReport } from '../../../src/reports/rollout.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { agentActor, askInput, givenRelease, managerActor } from '../../support/fixtures.ts';
import { givenReviewed } from '../../support/reviews.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

/** The same as the candidate, as a later version. */
async function givenLater(services: TestServices): Promise<void> {
  const { manifest } = await services.db.sql
    .selectFrom('release')
    .select('manifest')
    .where('version', '=', '2')
    .executeTakeFirstOrThrow();
  const agent = await services.db.sql.selectFrom('agent').select('manifest').executeTakeFirstOrThrow();
  await givenRelease(services, agent.manifest, JSON.stringify({ ...manifest, release: '3' }));
  await givenReviewed(services);
}

const start = (services: TestServices, supersede: boolean) =>
  startRollout(services, managerActor(), { agent: 'desk', release: '3', reason: 'mended', supersede });

describeWithServices('another rollout while one is open', (make) => {
  test('is refused, and told which one is open and how to go on', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await givenLater(services);
    await expect(start(services, false)).rejects.toMatchObject({
      code: 'wrong_state',
      message: expect.stringContaining(`rollout ${id} of "desk" is open`),
      details: { rollout: id, hint: expect.stringContaining('supersede') },
    });
    expect((await rolloutStatus(services, id)).status).toBe('running');
  });

  test('supersedes it: its release is exposed to nobody, what waited is void, its evidence stays', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await givenLater(services);
    for (let n = 0; n < 3; n++) await report(services, await givenCancelled(services, `c-${n}`), 0);
    const { action: open } = await askAction(
      services,
      agentActor({ attributes: { tier: 'gold' } }),
      askInput({ subject: 'open', idempotencyKey: 'open', args: { id: 'open' } }),
    );
    expect(open).toMatchObject({ state: 'approved', arm: 'candidate' });
    await judgeDue(services);
    const next = await start(services, true);
    expect(next).toMatchObject({ release: '3', status: 'running' });
    const ended = await rolloutStatus(services, id);
    expect(ended).toMatchObject({ status: 'superseded', endedAt: services.clock.now(), waitsFor: [] });
    expect(ended.segments.map(({ exposurePercent }) => exposurePercent)).toEqual([0, 0, 0]);
    const report2 = await rolloutReport(services, id);
    expect(report2.evidence.find(({ segment }) => segment === 'gold')?.processes[0]?.days).toHaveLength(1);
    const voided = await services.db.sql
      .selectFrom('action')
      .select(['state', 'superseded_because'])
      .where('id', '=', open.id)
      .executeTakeFirst();
    expect(voided).toEqual({ state: 'superseded', superseded_because: 'new_release' });
    // Nobody is in the candidate of either: the new one begins with its baseline.
    const { action } = await askAction(
      services,
      agentActor({ attributes: { tier: 'gold' } }),
      askInput({ subject: 'c-0', idempotencyKey: 'later', args: { id: 'later' } }),
    );
    expect(action).toMatchObject({ arm: 'control', rollout_id: next.id, release: '1' });
    await expect(
      runRolloutVerb(services, managerActor(), { id, verb: 'reenter', segment: 'gold', reason: 'x' }),
    ).rejects.toMatchObject({ code: 'wrong_state' });
  });

  test('that cannot start leaves the open one as it is', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await givenReviewed(services);
    await expect(
      startRollout(services, managerActor(), { agent: 'desk', release: '1', reason: 'x', supersede: true }),
    ).rejects.toMatchObject({ code: 'preflight_failed' });
    const still = await rolloutStatus(services, id);
    expect(still.status).toBe('running');
    expect(still.segments.some(({ exposurePercent }) => exposurePercent === 100)).toBe(true);
  });
});
