import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { verifyLog } from '../../../src/log/verify.ts';
import { adoptRelease } from '../../../src/releases/adopt.ts';
import { followRevocations } from '../../../src/rollouts/follow-revocations.ts';
import { judgeDue, queueExposed } from '../../../src/rollouts/judge.ts';
import { rollBack } from '../../../src/rollouts/roll-back.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import { verifies } from '../../requirements.ts';
import { actorOf, agentActor, givenAsked, managerActor, onCallActor } from '../../support/fixtures.ts';
import { givenReviewed } from '../../support/reviews.ts';
import { describeWithServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

describeWithServices('what was taken back', (make) => {
  verifies(
    'never:rolled-back-reopened',
    'adopting the candidate again does not open a segment that lost it',
    async () => {
      const services = await make();
      const id = await givenExposed(services);
      await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'guests complain' });
      await runRolloutVerb(services, managerActor(), {
        id,
        verb: 'exclude',
        segment: 'gold',
        reason: 'stays',
      });
      await services.db.sql
        .updateTable('in_force')
        .set({ release: '2' })
        .where('segment', '!=', 'gold')
        .execute();
      await services.db.sql
        .updateTable('rollout')
        .set({ status: 'completed', ended_at: services.clock.now() })
        .execute();
      const adopting = adoptRelease(services, managerActor(), {
        agent: 'desk',
        version: '2',
        reason: 'again',
      });
      await expect(adopting).rejects.toMatchObject({ code: 'wrong_state' });
    },
  );

  verifies('never:acknowledged-lost', 'a breach whose judging was cut off is judged again', async () => {
    const services = await make();
    const id = await givenExposed(services);
    for (let n = 0; n < 8; n++) await report(services, await givenCancelled(services, `harm-${n}`), 1);
    const { db } = services;
    const dying = { ...services, db: { ...db, sql: db.sql.withSchema('nowhere') } } as typeof services;
    await expect(judgeDue(dying)).rejects.toThrow();
    await services.db.sql.deleteFrom('judge_queue').execute();
    await queueExposed(services);
    await judgeDue(services);
    const status = await rolloutStatus(services, id);
    expect(status.segments.find(({ segment }) => segment === 'gold')).toMatchObject({ state: 'rolled_back' });
    await sequenceLog(services.db.sql);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
  });

  test('a huge e-value leaves a log that verifies', async () => {
    const services = await make();
    await givenExposed(services);
    for (let n = 0; n < 25; n++) await report(services, await givenCancelled(services, `harm-${n}`), 1);
    await judgeDue(services);
    await sequenceLog(services.db.sql);
    expect(await verifyLog(services.db.sql)).toMatchObject({ verified: true });
  });

  test('a segment re-entered by a person is not undone by old evidence', async () => {
    const services = await make();
    const id = await givenExposed(services);
    for (let n = 0; n < 8; n++) await report(services, await givenCancelled(services, `harm-${n}`), 1);
    await judgeDue(services);
    await runRolloutVerb(services, managerActor(), {
      id,
      verb: 'reenter',
      segment: 'gold',
      reason: 'mended',
    });
    await report(services, await givenCancelled(services, 'fine'), 0);
    await judgeDue(services);
    const status = await rolloutStatus(services, id);
    expect(status.segments.find(({ segment }) => segment === 'gold')).toMatchObject({
      state: 'exposed',
      generation: 3,
    });
  });

  test('a repeated begin after a rollback leaves the first write open for its result', async () => {
    const services = await make();
    const id = await givenExposed(services);
    const { action } = await givenAsked(services, { subject: 's', args: { id: 's' } });
    await beginAction(services, agentActor(), { id: action.id, executionId: 'e' });
    await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'guests complain' });
    await expect(
      beginAction(services, agentActor(), { id: action.id, executionId: 'e' }),
    ).rejects.toMatchObject({ code: 'stopped' });
    expect(
      await completeAction(services, agentActor(), { id: action.id, executionId: 'e', ok: true }),
    ).toMatchObject({ state: 'executed' });
  });

  verifies(
    'never:acknowledged-lost',
    'a rollback that could not be reported is answered as done, and reported as soon as it can be',
    async () => {
      const services = await make();
      const id = await givenExposed(services);
      await sql`ALTER TABLE incident RENAME TO incident_gone`.execute(services.db.sql);
      const done = await rollBack(services, id, [{ segment: 'gold' }], {
        actor: 'cleo',
        because: 'guests complain',
      });
      expect(done).toMatchObject([{ segment: 'gold', incident: expect.any(String) }]);
      await sql`ALTER TABLE incident_gone RENAME TO incident`.execute(services.db.sql);
      services.clock.advance(2_000);
      await followRevocations(services);
      expect(await services.db.sql.selectFrom('incident').select('id').execute()).toEqual([
        { id: done[0]?.incident },
      ]);
    },
  );

  test('the alert of a rollback commits with it', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await rollBack(services, id, [{ segment: 'gold' }], { actor: 'cleo', because: 'guests complain' });
    const { rows } = await sql<{ n: number }>`SELECT count(*)::int AS n FROM alert a JOIN incident i
      ON a.facts ->> 'incident' = i.id WHERE i.verified_at IS NOT NULL`.execute(services.db.sql);
    expect(rows[0]?.n).toBe(1);
  });
});

describeWithServices('the switch', (make) => {
  test('everything is not one agent’s to switch, and a scope that names nobody is refused', async () => {
    const services = await make();
    await givenExposed(services);
    const bound = actorOf('on-call', { person: 'cleo', agent: 'desk' });
    await expect(disable(services, bound, { scope: 'everything', reason: 'x' })).rejects.toMatchObject({
      code: 'forbidden',
    });
    await expect(enable(services, bound, { scope: 'everything', reason: 'x' })).rejects.toMatchObject({
      code: 'forbidden',
    });
    for (const scope of ['agent/dsek', 'tool/desk/cancl']) {
      await expect(disable(services, onCallActor(), { scope, reason: 'x' })).rejects.toMatchObject({
        code: 'invalid_input',
      });
    }
  });

  test('a rollout started while disabled does not age', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await runRolloutVerb(services, managerActor(), { id, verb: 'rollback', reason: 'start anew' });
    await disable(services, onCallActor(), { scope: 'agent/desk', reason: 'fire' });
    await givenReviewed(services);
    const { id: next } = await startRollout(services, managerActor(), {
      agent: 'desk',
      release: '2',
      reason: 'again',
    });
    services.clock.advance(30 * services.dayMs);
    await enable(services, onCallActor(), { scope: 'agent/desk', reason: 'out' });
    const { waitsFor } = await rolloutStatus(services, next);
    expect(waitsFor).toContainEqual(expect.objectContaining({ for: 'time', detail: '30.0 days of 30' }));
  });
});
