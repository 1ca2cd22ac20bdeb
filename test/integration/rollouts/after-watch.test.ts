import { beforeEach, expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { actionById } from '../../../src/records/action.ts';
import { revocableRollouts, rolloutById, watchedRollout } from '../../../src/records/rollout.ts';
import { rolloutFacts } from '../../../src/rollouts/facts.ts';
import { listRollouts } from '../../../src/rollouts/list.ts';
import { completeRollout } from '../../../src/rollouts/moves.ts';
import { runRolloutVerb, verbsOf } from '../../../src/rollouts/verbs.ts';
import { endWatches } from '../../../src/rollouts/watch.ts';
import {
  actorOf,
  agentActor,
  askInput,
  givenRelease,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { givenReviewed } from '../../support/reviews.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenCancelled, givenExposed } from './support.ts';

/** Completed, in force everywhere, and watched no more. */
async function givenWatchOver(services: TestServices): Promise<string> {
  const id = await givenExposed(services, { watchFor: '10d' });
  await completeRollout(services, { id, ...(await rolloutFacts(services, id)) });
  services.clock.advance(11 * services.dayMs);
  await endWatches(services);
  expect(await watchedRollout(services.db.sql, 'desk')).toBeUndefined();
  return id;
}

/** Asked and allowed, and not begun. */
async function givenAllowed(services: TestServices, tier: string, key = `k-${Math.random()}`) {
  const actor = agentActor({ attributes: { tier } });
  return (await askAction(services, actor, askInput({ idempotencyKey: key, args: { id: key } }))).action;
}

const rollBack = (services: TestServices, id: string, segment?: string) =>
  runRolloutVerb(services, onCallActor(), { id, verb: 'rollback', reason: 'wrong rooms', segment });

const alerts = async ({ db }: TestServices) =>
  (
    await db.sql
      .selectFrom('alert')
      .select('facts')
      .where('kind', '=', 'rollout.rolled_back')
      .orderBy('created_at')
      .execute()
  ).map(({ facts }) => facts);

describeWithServices('a release whose watch is over', (make) => {
  let services: TestServices;
  beforeEach(async () => {
    services = await make();
  });

  test('can be rolled back, and whoever asks what can be is told so', async () => {
    const id = await givenWatchOver(services);
    const candidates = async () => (await revocableRollouts(services.db.sql, 'desk')).map((one) => one.id);
    const listed = async () =>
      (await listRollouts(services.db.sql, 'desk'))
        .filter(({ canRollBack }) => canRollBack)
        .map((one) => one.id);
    const may = async () => verbsOf(services, onCallActor(), await rolloutById(services.db.sql, id));
    expect([await candidates(), await listed(), await may()]).toEqual([[id], [id], ['rollback']]);
    expect(await verbsOf(services, actorOf('auditor'), await rolloutById(services.db.sql, id))).toEqual([]);
    await rollBack(services, id, 'gold');
    expect([await candidates(), await listed(), await may()]).toEqual([[id], [id], ['rollback']]);
    await rollBack(services, id);
    expect([await candidates(), await listed(), await may()]).toEqual([[], [], []]);
  });

  test('what was asked since is void with it, and people are told of that', async () => {
    const id = await givenWatchOver(services);
    const done = await givenCancelled(services, 'done');
    const begun = await givenAllowed(services, 'gold');
    await beginAction(services, agentActor(), { id: begun.id, executionId: 'e' });
    const allowed = await givenAllowed(services, 'gold');
    const elsewhere = await givenAllowed(services, 'silver');
    expect(allowed).toMatchObject({ state: 'approved', rollout_id: null, arm: 'control', release: '2' });
    await rollBack(services, id, 'gold');
    const { sql } = services.db;
    expect(await actionById(sql, allowed.id)).toMatchObject({
      state: 'superseded',
      superseded_because: 'rolled_back',
      ended_by: 'cleo',
    });
    expect(await actionById(sql, elsewhere.id)).toMatchObject({ state: 'approved' });
    expect(await alerts(services)).toMatchObject([
      {
        segment: 'gold',
        backOn: '1',
        voided: 1,
        verified: true,
        inFlight: [{ action: begun.id }],
        executed: [{ action: done.id }],
      },
    ]);
  });

  test('so is what a later rollout left on it, and what is on that one’s candidate goes on', async () => {
    const id = await givenWatchOver(services);
    const { manifest } = await services.db.sql
      .selectFrom('agent')
      .select('manifest')
      .executeTakeFirstOrThrow();
    const { manifest: release } = await services.db.sql
      .selectFrom('release')
      .select('manifest')
      .where('version', '=', '2')
      .executeTakeFirstOrThrow();
    await givenRelease(services, manifest, JSON.stringify({ ...release, release: '3' }));
    await givenReviewed(services);
    const { id: later } = await startRollout(services, managerActor(), {
      agent: 'desk',
      release: '3',
      reason: 'next',
    });
    await services.db.sql
      .updateTable('rollout_segment')
      .set({ state: 'exposed', exposure: 5_000 })
      .where('rollout_id', '=', later)
      .execute();
    await services.worlds.forget('desk', Number.MAX_SAFE_INTEGER);
    const asked = [];
    for (let n = 0; n < 12; n++) asked.push(await givenAllowed(services, 'gold', `later-${n}`));
    expect(new Set(asked.map(({ arm }) => arm))).toEqual(new Set(['control', 'candidate']));
    await rollBack(services, id, 'gold');
    for (const { id: one, arm, state } of asked)
      expect(await actionById(services.db.sql, one)).toMatchObject({
        rollout_id: later,
        state: arm === 'control' ? 'superseded' : state,
      });
    const [named, other] = await revocableRollouts(services.db.sql, 'desk');
    expect([named?.id, other?.id]).toEqual([later, id]);
  });
});
