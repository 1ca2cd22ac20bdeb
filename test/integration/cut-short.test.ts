import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { correctAction } from '../../src/actions/correct.ts';
import { admitCase } from '../../src/cases/admit.ts';
import { draftCase } from '../../src/cases/draft.ts';
import { proposeCase } from '../../src/cases/propose.ts';
import { readCaseValue } from '../../src/domain/manifest/manifest.ts';
import { commitFollowUp, proposeFollowUp } from '../../src/follow-ups/propose.ts';
import { classifyIncident } from '../../src/incidents/classify.ts';
import { followRevocations } from '../../src/rollouts/follow-revocations.ts';
import { judgeDue } from '../../src/rollouts/judge.ts';
import { actorOf, approverActor, managerActor } from '../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../support/services.ts';
import { givenCancelled, givenExposed, report } from './rollouts/support.ts';

const mia = actorOf('release-manager', { person: 'mia' });
const tom = actorOf('release-manager', { person: 'tom' });

/** From now on whoever writes to the table loses the connection in the midst of the transaction, as by kill -9 of the store. */
async function cutAt({ db }: TestServices, table: string): Promise<() => Promise<void>> {
  await sql`CREATE OR REPLACE FUNCTION cut_short() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NEW; END $$`.execute(db.sql);
  await sql`CREATE TRIGGER cut AFTER INSERT OR UPDATE ON ${sql.table(table)}
    FOR EACH ROW EXECUTE FUNCTION cut_short()`.execute(db.sql);
  return async () => {
    await sql`DROP TRIGGER cut ON ${sql.table(table)}`.execute(db.sql);
  };
}

const rows = async ({ db }: TestServices, table: string): Promise<Record<string, unknown>[]> =>
  (await sql<Record<string, unknown>>`SELECT * FROM ${sql.table(table)}`.execute(db.sql)).rows;

describeWithServices('what is cut short between incident, case and follow-up', (make) => {
  test('is done whole or not at all, and once when it is done again', async () => {
    const services = await make();
    await givenExposed(services);
    const harmful = [];
    for (let n = 0; n < 8; n++) {
      services.clock.advance(1_000);
      const action = await givenCancelled(services, `harm-${n}`);
      harmful.push(action);
      await report(services, action, 1);
    }

    // The rollback stands; its incident and alert come whole with the round that takes it up again.
    let mend = await cutAt(services, 'incident_action');
    await judgeDue(services).catch(() => undefined);
    const segments = await rows(services, 'rollout_segment');
    expect(segments.find(({ segment }) => segment === 'gold')).toMatchObject({ state: 'rolled_back' });
    expect([await rows(services, 'incident'), await rows(services, 'alert')]).toEqual([[], []]);
    await mend();
    services.clock.advance(2_000);
    await followRevocations(services);
    await followRevocations(services);
    const [incident, ...none] = await rows(services, 'incident');
    expect([incident, none]).toMatchObject([{ writes: 8, because: 'breach' }, []]);
    expect(await rows(services, 'alert')).toHaveLength(1);

    // A correction is recorded with its place in the incident, or not at all.
    mend = await cutAt(services, 'incident_action');
    const correction = { id: harmful[0]?.id ?? '', reason: 'it was wrong' };
    await expect(correctAction(services, approverActor(), correction)).rejects.toThrow();
    expect((await rows(services, 'action')).filter(({ corrected_at }) => corrected_at !== null)).toEqual([]);
    await mend();
    await correctAction(services, approverActor(), correction);

    await classifyIncident(services, managerActor(), {
      id: String(incident?.id),
      revision: Number(incident?.revision),
      mechanism: 'over_grant',
      certainty: 'known',
    });

    // A case is admitted with what becomes of its incident.
    const given = { tool: 'cancel', args: { id: 'made-up' }, attributes: { tier: 'gold' } };
    const says = 'A cancellation runs with nobody asked';
    const twin = { case: 'possible', agent: 'desk', kind: 'ask', says, given, expect: { atMost: 'ask:1' } };
    const read = readCaseValue(twin);
    if (!read.ok) throw new Error(JSON.stringify(read.problems));
    await proposeCase(services, mia, read.value);
    const draft = await draftCase(services, mia, {
      agent: 'desk',
      case: 'unasked',
      incident: String(incident?.id),
      expect: { atLeast: 'ask:1' },
      twins: ['possible'],
    });
    await proposeCase(services, mia, draft.case);
    const admit = () =>
      admitCase(services, tom, { agent: 'desk', name: 'unasked', redOn: '2', greenOn: '1' });
    mend = await cutAt(services, 'incident');
    await expect(admit()).rejects.toThrow();
    const states = (await rows(services, 'regression_case')).map(({ state }) => state);
    // These two, and the one that the correction proposed.
    expect(states).toEqual(['proposed', 'proposed', 'proposed']);
    await mend();
    expect(await admit()).toMatchObject({ state: 'admitted', from_incident: incident?.id });
    const [settled] = await rows(services, 'incident');
    expect(['reproduced', 'guarded']).toContain(settled?.state);

    // A promise is made with its entry in the log.
    const { id } = await proposeFollowUp(services, managerActor(), {
      agent: 'desk',
      sentence: 'Ask for cancellations',
      incident: String(incident?.id),
    });
    const commit = () =>
      commitFollowUp(services, managerActor(), {
        id,
        owner: 'ana',
        dueAt: new Date(services.clock.now().getTime() + 7 * services.dayMs),
      });
    mend = await cutAt(services, 'log_unnumbered');
    await expect(commit()).rejects.toThrow();
    expect(await rows(services, 'follow_up')).toMatchObject([{ state: 'proposed', owner: null }]);
    await mend();
    await commit();
    expect(await rows(services, 'follow_up')).toMatchObject([{ state: 'committed', owner: 'ana' }]);
  });
});
