import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Actor } from '../../../src/actor.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createApi } from '../../../src/api/server.ts';
import {
  createDeputy,
  type DeputyInput,
  listDeputies,
  revokeDeputy,
} from '../../../src/approvals/deputies.ts';
import { verifies } from '../../requirements.ts';
import { call } from '../../support/api.ts';
import {
  actorOf,
  agentFrom,
  approverActor,
  givenPendingAction,
  givenToken,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { begin, entries, row } from '../actions/support.ts';
import { answer, givenPeople, givenRefund, PEOPLE_YAML } from './people.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describeWithServices('deputies', (make) => {
  let services: TestServices;
  const later = (ms: number) => new Date(services.clock.now().getTime() + ms);
  const name = (more: Partial<DeputyInput> = {}, actor: Actor = approverActor('ana')) =>
    createDeputy(services, actor, {
      agent: 'desk',
      to: 'dave',
      endsAt: later(DAY_MS),
      reason: 'On holiday',
      ...more,
    });

  beforeAll(async () => {
    services = await make();
    await givenPeople(services);
  });
  afterEach(async () => {
    await services.db.sql.deleteFrom('deputy').execute();
  });

  describe('who may name whom', () => {
    test('people name their own, and it is logged with start, end and reason', async () => {
      const deputy = await name();
      expect(deputy).toMatchObject({ from_person: 'ana', to_person: 'dave', grp: null, created_by: 'ana' });
      const [entry] = await entries(services, deputy.id, 'approval.deputy_added');
      expect(entry).toMatchObject({
        actor: 'ana',
        data: {
          from: 'ana',
          to: 'dave',
          endsAt: later(DAY_MS).toISOString(),
          reason: 'On holiday',
          identity: 'test',
        },
      });
      expect(await listDeputies(services, { agent: 'desk', ended: false })).toContainEqual(deputy);
    });

    test('a release manager names them for others, and it is recorded as such', async () => {
      const deputy = await name({ from: 'ana' }, managerActor());
      expect(deputy).toMatchObject({ from_person: 'ana', created_by: 'olga' });
      const [entry] = await entries(services, deputy.id, 'approval.deputy_added');
      expect(entry).toMatchObject({ actor: 'olga', data: { namedBy: 'release-manager' } });
    });

    test.each([
      ['somebody else', { from: 'ana' }, approverActor('ben'), 'forbidden'],
      [
        'a release manager for themselves',
        { from: 'ana', to: 'cleo' },
        actorOf('release-manager', { person: 'cleo' }),
        'forbidden',
      ],
      ['a token of nobody', { from: 'ana' }, actorOf('release-manager'), 'not_eligible'],
      ['an agent', {}, actorOf('agent', { person: 'ana', agent: 'desk' }), 'forbidden'],
      ['another agent’s approver', {}, actorOf('approver', { person: 'ana', agent: 'other' }), 'forbidden'],
    ] as const)('%s may not', async (_, more, actor, code) => {
      const before = await listDeputies(services, { agent: 'desk', ended: true });
      await expect(name(more, actor as Actor)).rejects.toMatchObject({ code });
      expect(await listDeputies(services, { agent: 'desk', ended: true })).toEqual(before);
    });

    test.each([
      ['a stranger', { to: 'mallory' }],
      ['themselves', { to: 'ana' }],
      ['the owner', { to: 'olga' }],
      ['a deployer', { to: 'dora' }],
      ['for a group that is not there', { group: 'nobody' }],
      ['for a group they are not in', { group: 'legal' }],
      ['of the past', { startsAt: new Date('2025-01-01T00:00:00Z') }],
      ['without a time', { endsAt: new Date('2026-01-01T00:00:00Z') }],
      ['for longer than 30 days', { endsAt: new Date('2026-03-01T00:00:00Z') }],
      ['until a time there is not', { endsAt: new Date(Number.NaN) }],
      ['after all time', { startsAt: new Date('2101-01-01'), endsAt: new Date('2101-01-02') }],
    ])('nobody names %s', async (_, more) => {
      await expect(name(more)).rejects.toMatchObject({ code: 'invalid_input' });
    });
  });

  describe('what they count for', () => {
    const refused = (because: string) => ({ code: 'not_eligible', details: { because } });

    test('from its start to its end, and not a moment outside', async () => {
      const [startsAt, endsAt] = [later(HOUR_MS), later(2 * HOUR_MS)];
      await name({ startsAt, endsAt });
      const early = await givenPendingAction(services);
      await expect(answer(services, early, 'dave')).rejects.toMatchObject(refused('not_in_group'));
      services.clock.moveTo(startsAt);
      const during = await givenPendingAction(services);
      expect((await answer(services, during, 'dave')).action.state).toBe('approved');
      services.clock.moveTo(endsAt);
      const late = await givenPendingAction(services);
      for (const verdict of ['approve', 'deny'] as const)
        await expect(answer(services, late, 'dave', { verdict })).rejects.toMatchObject(
          refused('not_in_group'),
        );
    });

    verifies(
      'never:decision-twice',
      'the deputy and the one they stand for are one person, whoever comes first',
      async () => {
        await name();
        for (const [first, second] of [
          ['dave', 'ana'],
          ['ana', 'dave'],
        ] as const) {
          const action = await givenRefund(services);
          await answer(services, action, first);
          await expect(answer(services, action, second)).rejects.toMatchObject({ code: 'already_decided' });
          expect(await row(services, action)).toMatchObject({ state: 'pending', stage: 0 });
          await answer(services, action, 'ben');
          expect(await row(services, action)).toMatchObject({ state: 'pending', stage: 1 });
        }
      },
    );

    verifies(
      'never:decision-twice',
      'two deputies of one person are that one person; one deputy of two is one, too',
      async () => {
        await name();
        await name({ to: 'cleo' });
        const ofOne = await givenRefund(services);
        await answer(services, ofOne, 'dave');
        await expect(answer(services, ofOne, 'cleo')).rejects.toMatchObject({ code: 'already_decided' });
        await name({}, approverActor('ben'));
        const ofTwo = await givenRefund(services);
        await answer(services, ofTwo, 'dave');
        expect(await answer(services, ofTwo, 'dave')).toMatchObject({ counted: false });
        for (const action of [ofOne, ofTwo])
          expect(await row(services, action)).toMatchObject({ state: 'pending', stage: 0 });
      },
    );

    test('in one group only, where it says so', async () => {
      await name({ group: 'legal' }, approverActor('ben'));
      const cancel = await givenPendingAction(services);
      await expect(answer(services, cancel, 'dave')).rejects.toMatchObject(refused('not_in_group'));
      const waive = await givenPendingAction(services, { tool: 'waive' });
      await expect(answer(services, waive, 'dave')).rejects.toMatchObject(refused('not_this_stage'));
      await answer(services, waive, 'ana');
      expect((await answer(services, waive, 'dave')).action.state).toBe('approved');
    });

    test('what was lent is not lent on', async () => {
      await name();
      await name({ to: 'cleo' }, approverActor('dave'));
      const action = await givenPendingAction(services);
      await expect(answer(services, action, 'cleo')).rejects.toMatchObject(refused('not_in_group'));
      expect((await answer(services, action, 'dave')).action.state).toBe('approved');
    });

    test('who may not answer themselves lends no right: the one it is for, the owner', async () => {
      await name();
      const forAna = await givenPendingAction(services, { behind: ['ana'] });
      for (const verdict of ['approve', 'deny'] as const)
        await expect(answer(services, forAna, 'dave', { verdict })).rejects.toMatchObject(
          refused('not_in_group'),
        );
      const forDave = await givenPendingAction(services, { behind: ['dave'] });
      await expect(answer(services, forDave, 'dave')).rejects.toMatchObject(refused('requester'));
      const waiting = await givenPendingAction(services);
      for (const [owner, because] of [
        ['ana', 'not_in_group'],
        ['dave', 'stands_behind'],
      ] as const) {
        const owned = PEOPLE_YAML.replace('owners: [olga]', `owners: [olga, ${owner}]`);
        await applyAgent(services, managerActor(), agentFrom(owned));
        await expect(answer(services, waiting, 'dave')).rejects.toMatchObject(refused(because));
      }
      await applyAgent(services, managerActor(), agentFrom(PEOPLE_YAML));
    });
  });

  describe('taken back', () => {
    verifies(
      'never:decision-without-standing',
      'a deputy taken back after deciding: no write begins',
      async () => {
        const { id } = await name();
        const action = await givenPendingAction(services);
        await answer(services, action, 'dave');
        await revokeDeputy(services, approverActor('ana'), { agent: 'desk', id });
        await expect(begin(services, action)).rejects.toMatchObject({
          code: 'stopped',
          details: { because: 'approver_lost_standing' },
        });
        expect(await row(services, action)).toMatchObject({
          state: 'superseded',
          superseded_because: 'approver_lost_standing',
        });
        const next = await givenPendingAction(services);
        await expect(answer(services, next, 'dave')).rejects.toMatchObject({ code: 'not_eligible' });
      },
    );

    test('over after the decision: the write begins, because it was given in time', async () => {
      const endsAt = later(HOUR_MS / 2);
      await name({ endsAt });
      const action = await givenPendingAction(services);
      await answer(services, action, 'dave');
      services.clock.moveTo(endsAt);
      expect((await begin(services, action)).action.state).toBe('executing');
    });

    test('by either of the two or a release manager, by nobody else, once', async () => {
      const deputy = await name();
      const revoke = (actor: Actor) => revokeDeputy(services, actor, { agent: 'desk', id: deputy.id });
      await expect(revoke(approverActor('ben'))).rejects.toMatchObject({ code: 'forbidden' });
      await expect(
        revokeDeputy(services, approverActor('ana'), { agent: 'desk', id: 'no-such' }),
      ).rejects.toMatchObject({ code: 'not_found' });
      expect(await revoke(approverActor('dave'))).toMatchObject({ revoked_by: 'dave' });
      expect(await revoke(managerActor())).toMatchObject({ revoked_by: 'dave' });
      expect(await entries(services, deputy.id, 'approval.deputy_revoked')).toHaveLength(1);
      const live = await listDeputies(services, { agent: 'desk', ended: false });
      expect(live.map(({ id }) => id)).not.toContain(deputy.id);
      const all = await listDeputies(services, { agent: 'desk', ended: true });
      expect(all.map(({ id }) => id)).toContain(deputy.id);
    });
  });

  test('over HTTP: named, listed, ended', async () => {
    const app = await createApi(services);
    const as = await givenToken(services, 'approver', { person: 'ben' });
    const path = '/v1/agents/desk/deputies';
    const body = { to: 'dave', group: 'legal', endsAt: later(DAY_MS).toISOString(), reason: 'Away' };
    const made = await call(app, `POST ${path}`, { as, body });
    expect(made).toMatchObject({
      status: 201,
      json: { from: 'ben', to: 'dave', group: 'legal', state: 'running', createdBy: 'ben' },
    });
    expect(await call(app, `POST ${path}`, { as, body: { ...body, reason: ' ' } })).toMatchObject({
      status: 400,
    });
    const { json } = await call(app, `GET ${path}`, { as });
    expect(json.deputies.map(({ id }: { id: string }) => id)).toContain(made.json.id);
    const other = await givenToken(services, 'agent', { agent: 'other' });
    expect(await call(app, `GET ${path}`, { as: other })).toMatchObject({ status: 403 });
    const ended = await call(app, `DELETE ${path}/${made.json.id}`, { as });
    expect(ended).toMatchObject({ status: 200, json: { state: 'revoked', revokedBy: 'ben' } });
    await app.close();
  });
});
