import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createApi } from '../../../src/api/server.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { periodOf } from '../../../src/domain/period.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { type ReplayedRelease, replayRelease } from '../../../src/replay/replay.ts';
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

describeWithServices('replay of a release', (make) => {
  let services: TestServices;
  let replayed: ReplayedRelease;
  let wrong: Record<'denied' | 'edited' | 'corrected', ActionRow>;
  const release = releaseFrom(NEXT_YAML, agentFrom(WITHOUT_WAIVE));
  const over = (since: string, until?: string) =>
    periodOf({ since, until }, services.clock.now(), services.dayMs);
  const replay = (since = '90d', most?: number) =>
    replayRelease(services, managerActor(), {
      agent: 'desk',
      release,
      ...over(since),
      ...(most !== undefined && { most }),
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
    replayed = await replay('14d');
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
    expect(replayed).toMatchObject({ agent: 'desk', release: '9', days: 14, cut: false });
    expect(replayed.before).toEqual({ allowed: 1, pending: 9, denied: 1 });
    expect(replayed.after).toEqual({ allowed: 6, pending: 3, denied: 2 });
    expect(replayed).toMatchObject({
      decided: 11,
      same: 3,
      newlyAllowed: { asked: 6, denied: 0 },
      newlyAsked: { allowed: 1, denied: 0 },
      newlyDenied: { allowed: 0, asked: 1 },
    });
  });

  test('names what people had stopped, changed or called wrong and would have run unasked', () => {
    const { examples, ...counted } = replayed.unasked;
    expect(counted).toEqual({ right: 2, unknown: 1, wrong: 3 });
    expect(Object.fromEntries(examples.map(({ id, because }) => [because, id]))).toEqual({
      denied: wrong.denied.id,
      edited: wrong.edited.id,
      corrected: wrong.corrected.id,
    });
  });

  test('counts apart what says nothing of the release, and never as good', () => {
    expect(replayed.leftOut).toEqual({
      erased: 1,
      switched_off: 1,
      unknown_tool: 1,
      args_invalid: 0,
      attribute_missing: 1,
      no_release: 0,
      redacted: 0,
      denied_before: 0,
      not_in_step: 0,
    });
  });

  test('says what it would save whom, a week', () => {
    // before: 7 cancels of one, 2 refunds of two and then one; after: one cancel, one refund, one read
    expect(replayed.approvals).toEqual({ before: 13, after: 3 });
    expect(replayed.weekly).toEqual([
      { person: 'ana', before: 9, after: 3 },
      { person: 'ben', before: 9, after: 3 },
      { person: 'eve', before: 2, after: 0 },
    ]);
  });

  test('looks at the period it is asked for', async () => {
    expect((await replay('90d')).decided).toBe(12);
    const until = new Date(services.clock.now().getTime() - 14 * DAY_MS).toISOString();
    const early = await replayRelease(services, managerActor(), {
      agent: 'desk',
      release,
      ...over('90d', until),
    });
    expect(early.decided).toBe(1);
  });

  test('by segment and tool, with at most three examples, whose redacted arguments stay hidden', () => {
    const { parts } = replayed;
    expect(
      parts.map(({ tool, newlyAllowed, newlyAsked, newlyDenied }) => [
        tool,
        newlyAllowed,
        newlyAsked,
        newlyDenied,
      ]),
    ).toEqual([
      ['(undeclared)', 0, 0, 0],
      ['cancel', 6, 0, 0],
      ['lookup', 0, 1, 0],
      ['refund', 0, 0, 1],
    ]);
    expect(parts.flatMap(({ examples }) => Object.values(examples)).every(({ length }) => length <= 3)).toBe(
      true,
    );
  });

  test('says what people refused and it would let run unasked; the refusal stays one', () => {
    const { refused, sentence } = replayed;
    expect(refused).toMatchObject({ writes: 1, unasked: 1, examples: [{ id: wrong.denied.id }] });
    expect(sentence).toContain(
      'Of 1 write that people refused in 14 days it would now allow 1 unasked: cancel',
    );
    expect(replayed.before.allowed).toBe(1);
  });

  test('the same period and release give the same bytes', async () => {
    const { since, until } = replayed;
    const again = await replayRelease(services, managerActor(), { agent: 'desk', release, since, until });
    expect(JSON.stringify(again)).toBe(JSON.stringify(replayed));
    const other = await replayRelease(services, managerActor(), {
      agent: 'desk',
      release: { ...release, release: '10' },
      since,
      until,
    });
    expect(other.digest).not.toBe(replayed.digest);
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
    await replay();
    expect(await state()).toEqual(before);
  });

  test('over HTTP: as YAML, checked like a release, for who manages or audits', async () => {
    const app = await createApi(services);
    const post = async (role: 'release-manager' | 'auditor' | 'approver', body: string) =>
      call(app, `POST /v1/replays?agent=desk&since=14d`, {
        as: await givenToken(services, role, { person: 'cleo' }),
        headers: { 'content-type': 'application/yaml' },
        body,
      });
    const answered = await post('auditor', NEXT_YAML);
    expect(answered).toMatchObject({ status: 200 });
    expect(answered.json).toEqual(JSON.parse(JSON.stringify(replayed)));
    expect(await post('release-manager', NEXT_YAML.replace('refund', 'nonsense'))).toMatchObject({
      status: 422,
      json: { code: 'manifest_invalid' },
    });
    expect(await post('approver', NEXT_YAML)).toMatchObject({ status: 403 });
    expect(
      await call(app, 'POST /v1/replays?agent=other', {
        as: await givenToken(services, 'auditor'),
        body: { agent: 'other' },
      }),
    ).toMatchObject({ status: 404 });
    await app.close();
  });

  test('an agent may not ask for it', async () => {
    await expect(
      replayRelease(services, agentActor(), { agent: 'desk', release, ...over('7d') }),
    ).rejects.toMatchObject({ code: 'forbidden' });
  });

  test('looks at so many at most, the newest writes first, and says where it stopped', async () => {
    const some = (most: number) => replay('14d', most);
    await givenAsked(services, { tool: 'lookup' });
    await givenPendingAction(services, { args: { id: 'R-BAD' } });
    services.clock.advance(1);
    expect(await some(1)).toMatchObject({ cut: true, decided: 1, same: 1, after: { pending: 1 } });
    const { decided, leftOut, cut } = await some(4);
    expect(decided + Object.values(leftOut).reduce((sum, n) => sum + n, 0)).toBe(4);
    expect(cut).toBe(true);
  });

  test('reads page by page, and each action once, also when many were asked at the same moment', async () => {
    const before = await replay();
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
    const many = await replay();
    expect(many.unasked.wrong).toBe(before.unasked.wrong + copies);
    expect(many).toMatchObject({ cut: false, decided: before.decided + copies, same: before.same });
    expect(new Set(many.unasked.examples.map((one) => one.id)).size).toBe(20);
  });
});
