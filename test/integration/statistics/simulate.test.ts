import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createApi } from '../../../src/api/server.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { type SimulatedRelease, simulateRelease } from '../../../src/statistics/simulate.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { call } from '../../support/api.ts';
import {
  actorOf,
  agentActor,
  agentFrom,
  approverActor,
  givenAsked,
  givenPendingAction,
  givenToken,
  managerActor,
  releaseFrom,
} from '../../support/fixtures.ts';
import { WRITTEN_LOG } from '../../support/log.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { whileStopped } from '../actions/support.ts';
import { answer, execute, givenPeople, givenRefund, PEOPLE_YAML } from '../approvals/people.ts';

const DAY_MS = 86_400_000;

/** Cancels unasked but those of R-BAD, refunds by one instead of three, large ones never; reads are asked. */
const NEXT_YAML = `agent: desk
release: 9
grants:
  - { tool: lookup, approval: desk }
  - { tool: cancel, when: 'args.id != "R-BAD"', approval: none }
  - { tool: cancel, when: 'args.id == "R-BAD"', approval: desk }
  - { tool: refund, when: 'args.amount <= 100', approval: desk }
  - { tool: refund, when: 'args.amount > 100', deny: too much }
`;
const WITHOUT_WAIVE = PEOPLE_YAML.replace('  waive: { kind: write }\n', '');

describeWithServices('simulation of a release', (make) => {
  let services: TestServices;
  let simulated: SimulatedRelease;
  let wrong: Record<'denied' | 'edited' | 'corrected', ActionRow>;
  const simulate = (days = 90) =>
    simulateRelease(services, managerActor(), {
      agent: 'desk',
      release: releaseFrom(NEXT_YAML, agentFrom(WITHOUT_WAIVE)),
      days,
    });

  beforeAll(async () => {
    services = await make();
    await givenPeople(services);
    await givenPendingAction(services, { subject: 'old' });
    services.clock.advance(14 * DAY_MS);
    wrong = { denied: await denied(), edited: await edited('R-1'), corrected: await corrected() };
    await edited('R-BAD');
    await execute(services, (await answer(services, await givenPendingAction(services), 'ana')).action);
    const fine = await denied();
    await correctAction(services, managerActor(), { id: fine.id, reason: 'It was right' });
    await givenPendingAction(services);
    await givenRefund(services);
    await givenPendingAction(services, { tool: 'refund', args: { amount: 500 } });
    await givenAsked(services, { tool: 'lookup' });
    await whatSaysNothing();
    services.clock.advance(7 * DAY_MS);
    simulated = await simulate(14);
  });

  const denied = async () =>
    (await answer(services, await givenPendingAction(services), 'ben', { verdict: 'deny' })).action;

  async function edited(from: string): Promise<ActionRow> {
    const asked = await givenPendingAction(services, { args: { id: from } });
    const { id, args_digest: digest, revision } = asked;
    return editAction(services, approverActor('ben'), { id, args: { id: 'R-2' }, digest, revision });
  }

  async function corrected(): Promise<ActionRow> {
    const { action } = await answer(services, await givenPendingAction(services), 'ana');
    const done = await execute(services, action);
    return correctAction(services, managerActor(), { id: done.id, reason: 'Wrong guest' });
  }

  /** Erased, stopped, of a tool that is gone, of a manifest that asked for less. */
  async function whatSaysNothing() {
    await givenPendingAction(services, { subject: 'forget me' });
    await eraseSubject(services, actorOf('admin'), {
      agent: 'desk',
      subject: 'forget me',
      reason: 'asked to',
    });
    await whileStopped(services, async () => {
      expect((await givenAsked(services)).action.state).toBe('denied');
    });
    await givenPendingAction(services, { tool: 'waive' });
    const { id } = await givenPendingAction(services);
    await services.db.sql
      .updateTable('action_private')
      .set({ attributes: '{}' })
      .where('action_id', '=', id)
      .execute();
    await applyAgent(services, managerActor(), agentFrom(WITHOUT_WAIVE));
    expect((await givenAsked(services, { tool: 'nonsense' })).action.state).toBe('denied');
  }

  test('decides again what was recorded, and says what would be different', () => {
    expect(simulated).toMatchObject({ agent: 'desk', release: '9', days: 14, cut: false });
    expect(simulated.before).toEqual({ allowed: 1, pending: 9, denied: 1 });
    expect(simulated.after).toEqual({ allowed: 6, pending: 3, denied: 2 });
    expect(simulated).toMatchObject({
      decided: 11,
      same: 3,
      newlyAllowed: { asked: 6, denied: 0 },
      newlyAsked: { allowed: 1, denied: 0 },
      newlyDenied: { allowed: 0, asked: 1 },
    });
  });

  test('names what people had stopped, changed or called wrong and would have run unasked', () => {
    const { examples, ...counted } = simulated.unasked;
    expect(counted).toEqual({ right: 2, unknown: 1, wrong: 3 });
    expect(Object.fromEntries(examples.map(({ id, because }) => [because, id]))).toEqual({
      denied: wrong.denied.id,
      edited: wrong.edited.id,
      corrected: wrong.corrected.id,
    });
  });

  test('counts apart what says nothing of the release, and never as good', () => {
    expect(simulated.leftOut).toEqual({
      erased: 1,
      switched_off: 1,
      unknown_tool: 1,
      args_invalid: 0,
      attribute_missing: 1,
      no_release: 0,
    });
  });

  test('says what it would save whom, a week', () => {
    // before: 7 cancels of one, 2 refunds of two and then one; after: one cancel, one refund, one read
    expect(simulated.approvals).toEqual({ before: 13, after: 3 });
    expect(simulated.weekly).toEqual([
      { person: 'ana', before: 9, after: 3 },
      { person: 'ben', before: 9, after: 3 },
      { person: 'eve', before: 2, after: 0 },
    ]);
  });

  test('looks at the days it is asked for', async () => {
    expect((await simulate(90)).decided).toBe(12);
    await expect(simulate(0)).rejects.toMatchObject({ code: 'invalid_input' });
    await expect(simulate(1_000)).rejects.toMatchObject({ code: 'invalid_input' });
  });

  test('writes nothing', async () => {
    const state = async () => {
      const { rows } =
        await sql`SELECT (SELECT md5(string_agg(a::text, '' ORDER BY id)) FROM action a) AS actions,
        (SELECT count(*) FROM ${WRITTEN_LOG} l) AS entries, (SELECT count(*) FROM outbox) AS outbox,
        (SELECT count(*) FROM release) AS releases, (SELECT epoch FROM installation) AS epoch`.execute(
          services.db.sql,
        );
      return rows;
    };
    const before = await state();
    await simulate();
    expect(await state()).toEqual(before);
  });

  test('over HTTP: as YAML, checked like a release, for who manages or audits', async () => {
    const app = await createApi(services);
    const post = async (role: 'release-manager' | 'auditor' | 'approver', body: string) =>
      call(app, 'POST /v1/agents/desk/simulations?days=14', {
        as: await givenToken(services, role, { person: 'cleo' }),
        headers: { 'content-type': 'application/yaml' },
        body,
      });
    const answered = await post('auditor', NEXT_YAML);
    expect(answered).toMatchObject({ status: 200 });
    expect(answered.json).toMatchObject({ ...simulated, since: simulated.since.toISOString() });
    expect(await post('release-manager', NEXT_YAML.replace('refund', 'nonsense'))).toMatchObject({
      status: 422,
      json: { code: 'manifest_invalid' },
    });
    expect(await post('approver', NEXT_YAML)).toMatchObject({ status: 403 });
    expect(
      await call(app, 'POST /v1/agents/other/simulations', {
        as: await givenToken(services, 'auditor'),
        body: { agent: 'other' },
      }),
    ).toMatchObject({ status: 404 });
    await app.close();
  });

  test('an agent may not try it', async () => {
    const release = releaseFrom(NEXT_YAML);
    await expect(simulateRelease(services, agentActor(), { agent: 'desk', release })).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  test('looks at so many at most, the newest writes first, and says where it stopped', async () => {
    const release = releaseFrom(NEXT_YAML, agentFrom(WITHOUT_WAIVE));
    const some = (most: number) =>
      simulateRelease(services, managerActor(), { agent: 'desk', release, days: 14 }, most);
    await givenAsked(services, { tool: 'lookup' });
    await givenPendingAction(services, { args: { id: 'R-BAD' } });
    expect(await some(1)).toMatchObject({ cut: true, decided: 1, same: 1, after: { pending: 1 } });
    const { decided, leftOut, cut } = await some(4);
    expect(decided + Object.values(leftOut).reduce((sum, n) => sum + n, 0)).toBe(4);
    expect(cut).toBe(true);
  });

  test('reads page by page, and each action once, also when many were asked at the same moment', async () => {
    const before = await simulate();
    const copies = 1_234;
    const { id } = wrong.denied;
    await sql`INSERT INTO action
      SELECT (jsonb_populate_record(a, jsonb_build_object('id', c.id, 'idempotency_key', c.id))).*
      FROM action a, (SELECT (substr(${id}, 1, 19) || substr(gen_random_uuid()::text, 20))::uuid AS id
        FROM generate_series(1, ${copies}::int)) AS c
      WHERE a.id = ${id}`.execute(services.db.sql);
    await sql`INSERT INTO action_private (action_id, args, context, attributes, salt)
      SELECT n.id, p.args, p.context, p.attributes, p.salt FROM action n, action_private p
      WHERE p.action_id = ${id} AND n.idempotency_key = n.id::text`.execute(services.db.sql);
    const many = await simulate();
    expect(many.unasked.wrong).toBe(before.unasked.wrong + copies);
    expect(many).toMatchObject({ cut: false, decided: before.decided + copies, same: before.same });
    expect(new Set(many.unasked.examples.map((one) => one.id)).size).toBe(20);
  });
});
