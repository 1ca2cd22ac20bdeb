import { expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { draftCase } from '../../../src/cases/draft.ts';
import type { Finding } from '../../../src/domain/incident/findings.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { approverActor, managerActor } from '../../support/fixtures.ts';
import { describeWithServices } from '../../support/services.ts';
import { givenCancelled, givenExposed, report } from './support.ts';

const blindOf = (findings: unknown) =>
  (findings as Finding[]).find((one) => one.mechanism === 'blind_evidence')?.answer;

describeWithServices('the incident of a breach', (make) => {
  test('names the writes of which harm was reported: a case is made of the first, and none is in a second incident', async () => {
    const services = await make();
    const { sql: db } = services.db;
    await givenExposed(services);
    await report(services, await givenCancelled(services, 'fine'), 0);
    const harmful: ActionRow[] = [];
    for (let n = 0; n < 8; n++) {
      services.clock.advance(1_000);
      const action = await givenCancelled(services, `harm-${n}`);
      harmful.push(action);
      await report(services, action, 1);
    }
    await judgeDue(services);
    const incident = await db.selectFrom('incident').select('id').executeTakeFirstOrThrow();
    const named = await db
      .selectFrom('incident_action')
      .select(['action_id', 'because'])
      .where('incident_id', '=', incident.id)
      .orderBy('action_id')
      .execute();
    // Guard: weighed() in harmfulActions(); without it the one that was fine is named too.
    expect(named).toEqual(harmful.map(({ id: action_id }) => ({ action_id, because: 'named' })));
    const id = harmful[0]?.id ?? '';
    const draft = await draftCase(services, managerActor(), {
      agent: 'desk',
      case: 'from-breach',
      incident: incident.id,
      expect: { atLeast: 'ask:1' },
      twins: ['possible'],
    });
    expect(draft).toMatchObject({ action: id, on: { release: '2', verdict: 'red' } });
    // Guard: nowSaid(); without it a correction opens an incident with nothing in it where this one is closed.
    await db.updateTable('incident').set({ state: 'closed' }).execute();
    await correctAction(services, approverActor(), { id, reason: 'it was wrong' });
    const incidents = await db.selectFrom('incident').select(['id', 'writes']).execute();
    expect(incidents).toEqual([{ id: incident.id, writes: 8 }]);
    const said = db.selectFrom('incident_action').select('because').where('action_id', '=', id);
    expect(await said.executeTakeFirst()).toEqual({ because: 'wrong_write' });
  });

  // Guard: hindsightAt(); the days that were ripe a day before decide, as they are known when it is taken back.
  test.each([
    ['told a week late', 7, 'yes', 'blind_evidence'],
    ['told at once', 0, 'cannot_tell', null],
  ])('of harm that was %s', async (_, daysLate, answer, mechanism) => {
    const services = await make();
    const { sql: db } = services.db;
    await givenExposed(services);
    const before: ActionRow[] = [];
    for (let n = 0; n < 8; n++) before.push(await givenCancelled(services, `before-${n}`));
    await judgeDue(services);
    services.clock.advance(daysLate * services.dayMs);
    for (const action of before) await report(services, action, 1);
    await judgeDue(services);
    const incident = await db
      .selectFrom('incident')
      .select(['mechanism', 'certainty', 'classified_by', 'findings'])
      .where('because', '=', 'breach')
      .executeTakeFirstOrThrow();
    expect(blindOf(incident.findings)).toBe(answer);
    expect(incident.mechanism).toBe(mechanism);
    if (mechanism) expect(incident).toMatchObject({ certainty: 'known', classified_by: 'records' });
  });

  // Guard: verdictsOf(), over days that were ripe when it began; what is not known yet is asked of a person.
  test.each([
    ['harm that was told only now', 1, 'yes'],
    ['good that was told', 0, 'no'],
    ['nothing that was told', undefined, 'ask'],
  ])('of a write that began after %s', async (_, value, answer) => {
    const services = await make();
    const { sql: db } = services.db;
    await givenExposed(services);
    const before: ActionRow[] = [];
    for (let n = 0; n < 8; n++) before.push(await givenCancelled(services, `before-${n}`));
    services.clock.advance(7 * services.dayMs);
    const { id } = await givenCancelled(services, 'late');
    if (value !== undefined) for (const action of before) await report(services, action, value);
    await judgeDue(services);
    await db.updateTable('incident').set({ state: 'closed' }).execute();
    await correctAction(services, approverActor(), { id, reason: 'it was wrong' });
    const { findings } = await db
      .selectFrom('incident')
      .select('findings')
      .where('because', '=', 'correction')
      .executeTakeFirstOrThrow();
    expect(blindOf(findings)).toBe(answer);
  });
});
