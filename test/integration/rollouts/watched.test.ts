import { beforeEach, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import type { Agent } from '../../../src/domain/agent.ts';
import { knowEvent } from '../../../src/outcomes/event.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { openRollout, rolloutById, watchedRollout } from '../../../src/records/rollout.ts';
import { COMMITTED_WITHIN_MS } from '../../../src/rollouts/committed.ts';
import { countEvidence } from '../../../src/rollouts/evidence.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { completeRollout } from '../../../src/rollouts/moves.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { endWatches } from '../../../src/rollouts/watch.ts';
import { statusText } from '../../../src/slack/replies.ts';
import { managerActor } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, goldOf, report } from './support.ts';

const DAYS = 10;

/** Completed; twelve conversations are under way in it. */
async function givenCompleted(services: TestServices) {
  const id = await givenExposed(services, { watchFor: `${DAYS}d` });
  const actions: ActionRow[] = [];
  for (let n = 0; n < 12; n++) actions.push(await givenCancelled(services, `s${n}`));
  await completeRollout(services, { id, ...(await rolloutFacts(services, id)) });
  return { id, actions, harm: () => Promise.all(actions.map((action) => report(services, action, 1))) };
}

const stateOf = async (services: TestServices, id: string) => (await goldOf(services, id, 'wrong')).state;

const ended = async ({ db }: TestServices) =>
  (await writtenLog(db.sql).select('body').where('kind', '=', 'rollout.watch_ended').execute()).map(
    ({ body }) => JSON.parse(body).data,
  );

const redefine = async (services: TestServices) => {
  const { manifest } = await services.db.sql.selectFrom('agent').select('manifest').executeTakeFirstOrThrow();
  const { wrong } = manifest.metrics;
  if (!wrong) throw new Error('the agent has other metrics');
  return applyAgent(services, managerActor(), {
    ...manifest,
    metrics: { wrong: { ...wrong, above: 3 } },
  });
};

describeWithServices('the rollout of an agent', (make) => {
  test('is the open one, then the one whose release is in force, and then none, for everybody who asks', async () => {
    const services = await make();
    const { sql } = services.db;
    const id = await givenExposed(services);
    const asked = async () => {
      await services.worlds.forget('desk', Number.MAX_SAFE_INTEGER);
      const world = await services.worlds.get('desk');
      if (!world) throw new Error('there is no agent');
      const { agent } = world;
      return {
        open: (await openRollout(sql, 'desk'))?.id,
        watched: (await watchedRollout(sql, 'desk'))?.id,
        decided: world.world.rollout?.id,
        slack: (await statusText(services, [agent])).includes(id),
      };
    };
    expect(await asked()).toEqual({ open: id, watched: id, decided: id, slack: true });
    await sql.updateTable('rollout').set({ status: 'completed', ended_at: services.clock.now() }).execute();
    await sql.updateTable('in_force').set({ release: '2' }).where('segment', '=', 'gold').execute();
    expect(await asked()).toEqual({ open: undefined, watched: id, decided: id, slack: true });
    await sql.updateTable('in_force').set({ release: '1' }).execute();
    expect(await asked()).toEqual({ open: undefined, watched: undefined, decided: undefined, slack: false });
  });

  test('that completed keeps the metrics it watches as they are, and no others', async () => {
    const services = await make();
    const { sql } = services.db;
    const id = await givenExposed(services);
    await sql.updateTable('rollout').set({ status: 'completed', ended_at: services.clock.now() }).execute();
    await sql.updateTable('in_force').set({ release: '2' }).execute();
    const { manifest } = await sql.selectFrom('agent').select('manifest').executeTakeFirstOrThrow();
    const { wrong, ...others } = manifest.metrics;
    if (!wrong) throw new Error('the agent has other metrics');
    const apply = (metrics: Agent['metrics']) =>
      applyAgent(services, managerActor(), { ...manifest, metrics });
    for (const metrics of [others, { ...others, wrong: { ...wrong, above: 3 } }])
      await expect(apply(metrics)).rejects.toThrow(
        `Cannot change metric "wrong": rollout ${id} completed, and its release is watched by it`,
      );
    await expect(apply({ ...manifest.metrics, stricter: { ...wrong, above: 3 } })).resolves.toMatchObject({
      revision: 2,
    });
    await sql.updateTable('in_force').set({ release: '1' }).execute();
    await expect(apply(others)).resolves.toMatchObject({ revision: 3 });
  });
});

describeWithServices('a rollout whose release says how long it is watched', (make) => {
  let services: TestServices;
  beforeEach(async () => {
    services = await make();
  });

  test('takes back what breaches until then', async () => {
    const { id, harm } = await givenCompleted(services);
    services.clock.advance(DAYS * services.dayMs - 1);
    await harm();
    await judgeDue(services);
    expect(await stateOf(services, id)).toBe('rolled_back');
  });

  test('takes back nothing from then on, and its metrics may be redefined, whether or not anybody noticed that it is over', async () => {
    const { id, harm } = await givenCompleted(services);
    const until = new Date(services.clock.now().getTime() + DAYS * services.dayMs);
    expect(await rolloutStatus(services, id)).toMatchObject({ watchedUntil: until, watchOver: false });
    services.clock.advance(DAYS * services.dayMs - 1);
    await expect(redefine(services)).rejects.toThrow(`is watched by it until ${until.toISOString()}. Give`);
    services.clock.advance(1);
    expect(await rolloutStatus(services, id)).toMatchObject({ watchedUntil: until, watchOver: true });
    await harm();
    await queueExposed(services);
    await judgeDue(services);
    expect(await stateOf(services, id)).toBe('exposed');
    await expect(redefine(services)).resolves.toMatchObject({ revision: 2 });
  });

  test('is judged no more, and the log says so once', async () => {
    const { id, harm } = await givenCompleted(services);
    services.clock.advance(DAYS * services.dayMs - 1);
    await endWatches(services);
    expect(await ended(services)).toEqual([]);
    services.clock.advance(1);
    const watchedUntil = services.clock.now().toISOString();
    services.clock.advance(services.dayMs);
    await harm();
    await endWatches(services);
    await endWatches(services);
    expect(await ended(services)).toEqual([{ release: '2', watchedUntil }]);
    expect(await stateOf(services, id)).toBe('exposed');
    expect(await watchedRollout(services.db.sql, 'desk')).toBeUndefined();
    await queueExposed(services);
    expect(await services.db.sql.selectFrom('judge_queue').selectAll().execute()).toEqual([]);
    const { sql } = services.db;
    await sql
      .insertInto('judge_queue')
      .values({ rollout_id: id, segment: 'gold', since: services.clock.now(), n: 0 })
      .execute();
    await sql.updateTable('verdict').set({ verdict: 'no-data' }).execute();
    await judgeDue(services);
    expect(await sql.selectFrom('verdict').select('verdict').distinct().execute()).toEqual([
      { verdict: 'no-data' },
    ]);
    expect(await sql.selectFrom('judge_queue').selectAll().execute()).toEqual([]);
  });

  test('counts what came before, although nobody counted or judged until it was over', async () => {
    const { id, harm } = await givenCompleted(services);
    services.clock.advance(DAYS * services.dayMs - 1);
    await harm();
    services.clock.advance(3 * services.dayMs);
    await endWatches(services);
    // What is ripe is so as of the end.
    expect(await goldOf(services, id, 'wrong')).toMatchObject({
      state: 'rolled_back',
      matureBefore: DAYS - 1,
    });
    expect(await ended(services)).toHaveLength(1);
  });

  test('counts nothing that came later, although it is judged only then', async () => {
    const { id, harm } = await givenCompleted(services);
    services.clock.advance(DAYS * services.dayMs);
    await harm();
    services.clock.advance(services.dayMs);
    await countEvidence(services.db.sql);
    const counts = services.db.sql.selectFrom('day_count').select(['events', 'harms']);
    expect(await counts.execute()).toEqual([{ events: 12, harms: 0 }]);
    await endWatches(services);
    expect(await stateOf(services, id)).toBe('exposed');
  });

  test('what was under way for too long when it ended is counted for nobody', async () => {
    const { actions } = await givenCompleted(services);
    services.clock.advance(DAYS * services.dayMs - 1);
    const tx = await services.db.sql.startTransaction().execute();
    for (const action of actions) await knowEvent(tx, action, 'wrong', 1, services.clock.now());
    services.clock.advance(1 + COMMITTED_WITHIN_MS);
    await endWatches(services);
    expect(await ended(services)).toHaveLength(1);
    await tx.commit().execute();
    await countEvidence(services.db.sql);
    const counts = services.db.sql.selectFrom('day_count').select(['events', 'harms']);
    expect(await counts.execute()).toEqual([{ events: 12, harms: 0 }]);
  });

  test('its days are those of the rollout, as they were when it started', async () => {
    const short = await make({ dayMs: 60_000 });
    const { id } = await givenCompleted(short);
    const { plan, ended_at, watch_until } = await rolloutById(short.db.sql, id);
    expect(plan.watchFor).toBe(`${DAYS}d`);
    expect(watch_until?.getTime()).toBe((ended_at?.getTime() ?? 0) + DAYS * 60_000);
  });

  test('one that says nothing is watched as long as its release is in force', async () => {
    const id = await givenExposed(services);
    await completeRollout(services, { id, ...(await rolloutFacts(services, id)) });
    services.clock.advance(1_000 * services.dayMs);
    await endWatches(services);
    expect(await ended(services)).toEqual([]);
    expect(await rolloutStatus(services, id)).toMatchObject({ watchedUntil: null, watchOver: false });
    expect((await watchedRollout(services.db.sql, 'desk'))?.id).toBe(id);
    await expect(redefine(services)).rejects.toThrow('as long as it is in force');
  });
});
