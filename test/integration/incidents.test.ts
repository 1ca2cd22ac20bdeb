import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { correctAction } from '../../src/actions/correct.ts';
import { type Classification, classifyIncident } from '../../src/incidents/classify.ts';
import { closeIncident, markGuarded, markReproduced } from '../../src/incidents/close.ts';
import { openLateStops } from '../../src/incidents/late-stops.ts';
import { listIncidents } from '../../src/incidents/list.ts';
import { mergeIncident, unmergeIncident } from '../../src/incidents/merge.ts';
import { newIncidentId } from '../../src/incidents/open.ts';
import { reportIncident } from '../../src/incidents/report-one.ts';
import { sequenceLog } from '../../src/log/sequence.ts';
import { incidentReport } from '../../src/reports/incident.ts';
import {
  AGENT_YAML,
  actorOf,
  approverActor,
  givenAdopted,
  givenAgent,
  givenBegunAction,
  managerActor,
  onCallActor,
} from '../support/fixtures.ts';
import { createTestServices, type TestServices } from '../support/services.ts';

let services: TestServices;
const db = () => services.db.sql;
const owner = (person = 'olga') => actorOf(['release-manager', 'approver'], { person });

beforeAll(async () => {
  services = await createTestServices();
  await givenAdopted(services);
  await givenAgent(services, AGENT_YAML.replace('owners: [olga]', 'owners: [olga, cleo]'));
});
afterAll(() => services.close());

const wrong = async (): Promise<string> => {
  const action = await givenBegunAction(services);
  await sql`UPDATE action SET state = 'executed', completed_at = ${services.clock.now()} WHERE id = ${action.id}`.execute(
    db(),
  );
  await correctAction(services, approverActor(), { id: action.id, reason: 'the other booking' });
  return action.id;
};

const incidentOf = async (action: string): Promise<string> => {
  const rows = await db().selectFrom('incident_action').selectAll().where('action_id', '=', action).execute();
  expect(rows).toHaveLength(1);
  return rows[0]?.incident_id ?? '';
};

const incident = (id: string) =>
  db().selectFrom('incident').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

const classify = async (id: string, more: Partial<Classification> = {}, as = owner()) =>
  classifyIncident(services, as, {
    id,
    revision: (await incident(id)).revision,
    mechanism: 'wrong_call',
    certainty: 'known',
    ...more,
  });

/** A person's incident, of a segment of its own where it is to be like no other. */
const opened = (more: Partial<Parameters<typeof reportIncident>[2]> = {}) =>
  reportIncident(services, onCallActor(), { agent: 'desk', title: 'It went wrong', reason: 'seen', ...more });

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing was refused',
    ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
  );

describe('a wrong write', () => {
  test('is in exactly one incident; what is like it joins, is linked and counted, and none is lost', async () => {
    const [first, second, third] = [await wrong(), await wrong(), await wrong()];
    const ids = await Promise.all([first, second, third].map(incidentOf));
    expect(new Set(ids).size).toBe(1);
    expect(await incident(ids[0] ?? '')).toMatchObject({
      writes: 3,
      state: 'open',
      because: 'correction',
      mechanism: null,
    });
    await correctAction(services, approverActor(), { id: first, reason: 'again' });
    expect((await incident(ids[0] ?? '')).writes).toBe(3);
  });

  test('two at once make one incident, and what was classified since takes no unclassified one in', async () => {
    const before = await incidentOf(await wrong());
    await classify(before);
    const both = await Promise.all([wrong(), wrong()]);
    const ids = await Promise.all(both.map(incidentOf));
    expect(new Set(ids).size).toBe(1);
    expect(ids[0]).not.toBe(before);
    // The fingerprint of an open one: merged, and both addresses stay.
    const merged = await classify(ids[0] ?? '');
    expect(merged).toMatchObject({ merged_into: before, mechanism: 'wrong_call' });
    const report = await incidentReport(db(), owner(), before);
    const own = (await incident(before)).writes;
    expect(report.writes).toBe(own + 2);
    expect(report.listed.map(({ action }) => action)).toEqual(expect.arrayContaining(both));
    await unmergeIncident(services, owner(), { id: ids[0] ?? '', reason: 'another cause' });
    expect((await incidentReport(db(), owner(), before)).writes).toBe(own);
    expect((await incidentReport(db(), owner(), ids[0] ?? '')).writes).toBe(2);
    await mergeIncident(services, owner(), { id: ids[0] ?? '', into: before, reason: 'one after all' });
  });

  test('its timeline is that of the log, with the numbers of its entries, a page at a time', async () => {
    const action = await wrong();
    const id = await incidentOf(action);
    while ((await sequenceLog(db())) > 0);
    const { timeline } = await incidentReport(db(), owner(), id);
    const kinds = timeline.map(({ kind }) => kind);
    expect(kinds).toEqual(
      expect.arrayContaining(['action.asked', 'action.begun', 'action.corrected', 'incident.opened']),
    );
    expect(timeline.map(({ entry }) => entry)).toEqual(
      timeline.map(({ entry }) => entry).toSorted((a, b) => a - b),
    );
    const after = timeline.at(-2)?.entry;
    expect((await incidentReport(db(), owner(), id, { after })).timeline).toHaveLength(1);
  });
});

describe('mechanisms that the records establish', () => {
  const correctedWith = async (change: (id: string) => Promise<unknown>): Promise<string | null> => {
    const action = await givenBegunAction(services);
    await sql`UPDATE action SET state = 'executed', completed_at = ${services.clock.now()} WHERE id = ${action.id}`.execute(
      db(),
    );
    await change(action.id);
    await correctAction(services, approverActor(), { id: action.id, reason: 'wrong' });
    return (await incident(await incidentOf(action.id))).mechanism;
  };

  test('unapproved: its approvals are not recorded', async () => {
    const unapproved = (id: string) => db().deleteFrom('decision').where('action_id', '=', id).execute();
    expect(await correctedWith(unapproved)).toBe('unapproved');
  });

  test('late_stop: it began after a stop that covers it', async () => {
    const late = (id: string) =>
      sql`INSERT INTO revocation (kind, agent, kinds, becomes, because, epoch, actor, at)
        SELECT 'switch', agent, ARRAY['write'], 'disabled', 'disabled', epoch + 1, 'cleo', began_at - interval '1 ms'
        FROM action WHERE id = ${id}`
        .execute(db())
        .then(() =>
          sql`UPDATE action SET asked_at = asked_at - interval '1 s' WHERE id = ${id}`.execute(db()),
        );
    expect(await correctedWith(late)).toBe('late_stop');
    await db().deleteFrom('revocation').execute();
  });

  test('excess_credential: one lived longer than was granted', async () => {
    const longer = (id: string) =>
      sql`UPDATE credential SET expires_at = issued_at + interval '1 hour' WHERE action_id = ${id}`.execute(
        db(),
      );
    expect(await correctedWith(longer)).toBe('excess_credential');
  });

  test('wrong_bucket: its attributes say another segment', async () => {
    const moved = (id: string) => sql`UPDATE action SET segment = 'default' WHERE id = ${id}`.execute(db());
    expect(await correctedWith(moved)).toBe('wrong_bucket');
  });

  test('around_gate: a person says that the effect exists, and nothing of ours began', async () => {
    const found = await opened({ tool: 'cancel', effect: true });
    expect(found).toMatchObject({ mechanism: 'around_gate', certainty: 'known', state: 'classified' });
  });

  test('none where nothing is planted', async () => {
    expect(await correctedWith(async () => {})).toBeNull();
  });
});

describe('what an incident ends', () => {
  const giveStanding = () =>
    sql`INSERT INTO standing_approval (id, agent, tool, grant_name, release, segment, arm, action_id, round, envelope, max_uses, starts_at, expires_at, created_by)
      SELECT gen_random_uuid(), a.agent, a.tool, a.grant_name, '1', 'gold', 'control', a.id, 0, 'true', 3, ${services.clock.now()}, ${services.clock.now()}::timestamptz + interval '1 day', 'ana'
      FROM action a LIMIT 1`.execute(db());
  const live = async () =>
    (await db().selectFrom('standing_approval').select('id').where('ended_at', 'is', null).execute()).length;

  test('is what is named, told in the log; nothing for one that names nothing, and nothing for one of the past', async () => {
    await giveStanding();
    const quiet = await opened({ segment: 'gold' });
    expect(await live()).toBe(1);
    const past = await opened({
      segment: 'gold',
      historical: true,
      at: new Date(services.clock.now().getTime() - 1_000),
    });
    expect(past).toMatchObject({ historical: true, restarts_evidence: false });
    expect(await live()).toBe(1);
    expect(await refusal(opened({ historical: true, ends: ['autonomy'] }))).toContain('ends nothing');
    const loud = await opened({ segment: 'gold', ends: ['standingApprovals', 'autonomy'] });
    expect(loud.ended).toEqual({ standingApprovals: 1, autonomy: 0 });
    expect(quiet.ended).toEqual({});
    expect(await live()).toBe(0);
  });

  test('the version before inserts as it did, and its triggers end it', async () => {
    await giveStanding();
    await sql`INSERT INTO incident (id, agent, segment, title, opened_at, opened_by, evidence)
      VALUES ('inc-before', 'desk', 'gold', 't', now(), 'judge', '{}')`.execute(db());
    expect(await live()).toBe(0);
  });
});

describe('the life of an incident', () => {
  test('classified with evidence, reproduced, guarded, closed; what is like it then is a recurrence', async () => {
    const { id } = await opened({ tool: 'cancel', segment: 'life' });
    expect(await refusal(closeIncident(services, owner(), { id, revision: 1, reason: 'over' }))).toContain(
      'not classified',
    );
    await classify(id, { mechanism: 'over_grant', evidence: [1, 2] });
    const moved = { incident: id, case: 'case-1', at: services.clock.now(), by: 'olga' };
    expect(await refusal(closeIncident(services, owner(), { id, revision: 2, reason: 'over' }))).toContain(
      'another owner',
    );
    expect(await markReproduced(db(), moved)).toBe(true);
    expect(await markReproduced(db(), moved)).toBe(false);
    expect(await markGuarded(db(), moved)).toBe(true);
    const { revision } = await incident(id);
    await closeIncident(services, owner(), { id, revision, reason: 'guarded' });
    const again = await opened({ tool: 'cancel', segment: 'life' });
    expect(await classify(again.id, { mechanism: 'over_grant' })).toMatchObject({ recurrence_of: id });
    expect(await refusal(classify(id))).toContain('is closed');
  });

  test('two people who classify at once: one is told to look again', async () => {
    const { id } = await opened();
    const both = await Promise.all([
      refusal(classify(id, { revision: 1 })),
      refusal(classify(id, { revision: 1, mechanism: 'over_grant' }, owner('cleo'))),
    ]);
    expect(both.filter((one) => one.startsWith('conflict: '))).toHaveLength(1);
    expect(both.filter((one) => one === 'nothing was refused')).toHaveLength(1);
  });

  test('only an owner classifies', async () => {
    const { id } = await opened();
    expect(await refusal(classify(id, {}, actorOf('release-manager', { person: 'ben' })))).toContain(
      'only an owner',
    );
    expect(await refusal(classify(id, {}, actorOf('auditor')))).toContain('forbidden');
  });

  test('what is merged is not merged again, nor is anything merged into it, and it says where it is', async () => {
    const [a, b, c] = [await opened(), await opened(), await opened()];
    await mergeIncident(services, owner(), { id: a.id, into: b.id, reason: 'one' });
    const merge = (id: string, into: string) =>
      refusal(mergeIncident(services, owner(), { id, into, reason: 'one' }));
    expect(await merge(a.id, c.id)).toContain(`merged into ${b.id}`);
    expect(await merge(c.id, a.id)).toContain(`merge into that one`);
    expect(await merge(b.id, c.id)).toContain(`${a.id} is merged into ${b.id}`);
    expect(await refusal(classify(a.id))).toContain(`merged into ${b.id}`);
  });
});

test('a stop that has not closed the gate in time opens one incident, however often it is looked at', async () => {
  const asked = new Date(services.clock.now().getTime() - 60_000);
  await sql`INSERT INTO stop_intent (scope, reads, reason, actor, at) VALUES ('agent/desk', false, 'r', 'cleo', ${asked})`.execute(
    db(),
  );
  expect(await openLateStops(services, {})).toBe(1);
  expect(await openLateStops(services, {})).toBe(0);
  await db().deleteFrom('stop_intent').execute();
});

test('100,000 incidents: a page is read from an index, and pages follow one another without a gap', async () => {
  const filling = await services.db.openMigration();
  await sql`INSERT INTO incident (id, agent, title, opened_at, opened_by, evidence, ended, state, restarts_evidence)
    SELECT 'inc-' || n, 'other', 't', timestamptz '2026-01-01' + n * interval '1 s', 'x', '{}', '{}',
      CASE WHEN n % 100 = 0 THEN 'open' ELSE 'closed' END, false FROM generate_series(1, 100000) AS n`.execute(
    filling.sql,
  );
  await sql`ANALYZE incident`.execute(filling.sql);
  await filling.close();
  const first = await listIncidents(db(), { agent: 'other', limit: 3 });
  expect(first.incidents.map(({ id }) => id)).toEqual(['inc-100000', 'inc-99999', 'inc-99998']);
  const next = await listIncidents(db(), { agent: 'other', limit: 2, cursor: first.nextCursor });
  expect(next.incidents.map(({ id }) => id)).toEqual(['inc-99997', 'inc-99996']);
  for (const filter of [
    sql`agent = 'other'`,
    sql`state = 'open'`,
    sql`agent = 'other' AND state = 'open'`,
    sql`true`,
  ]) {
    const { rows } = await sql<{ 'QUERY PLAN': string }>`EXPLAIN SELECT * FROM incident WHERE ${filter}
      AND (opened_at, id) < (timestamptz '2026-01-01 12:00', 'inc-9') ORDER BY opened_at DESC, id DESC LIMIT 201`.execute(
      db(),
    );
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).not.toMatch(/Seq Scan|Sort/);
  }
  expect(newIncidentId()).toMatch(/^inc-/);
  expect(managerActor().person).toBe('olga');
});
