import { beforeAll, describe, expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { createApi } from '../../../src/api/server.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { type ApprovalStats, approvalStats } from '../../../src/statistics/approvals.ts';
import { call } from '../../support/api.ts';
import {
  actorOf,
  agentActor,
  approverActor,
  givenAsked,
  givenPendingAction,
  givenToken,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { entries, row } from '../actions/support.ts';
import { answer, execute, givenBrokenGlass, givenPeople, givenRefund } from '../approvals/people.ts';
import { about } from './approval-history.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const auditor = actorOf('auditor');

/** As if the person had opened the page. */
const see = ({ db, clock }: TestServices, { id }: ActionRow, person: string) =>
  db.sql.insertInto('seen').values({ action_id: id, person, at: clock.now(), via: 'web' }).execute();

describeWithServices('statistics of approvals', (make) => {
  let services: TestServices;
  let stats: ApprovalStats;
  const wait = (ms: number) => services.clock.advance(ms);
  const of = (person: string) => stats.people.find((one) => one.person === person);
  const tool = (name: string) => stats.tools.find((one) => one.tool === name);

  /** Seen, answered after so long. */
  async function seenAndAnswered(person: string, ms: number, verdict: 'approve' | 'deny' = 'approve') {
    const action = await givenPendingAction(services);
    await see(services, action, person);
    wait(ms);
    return (await answer(services, action, person, { verdict })).action;
  }

  beforeAll(async () => {
    services = await make();
    await givenPeople(services);
    await givenPendingAction(services).then(({ id }) => answer(services, { id }, 'ana'));
    wait(8 * DAY);
    await seenAndAnswered('ana', 1 * SECOND);
    await seenAndAnswered('ana', 2 * SECOND);
    await execute(services, await seenAndAnswered('ana', 9 * SECOND));
    const wrong = await execute(services, await seenAndAnswered('ben', 3 * SECOND));
    await correctAction(services, managerActor(), { id: wrong.id, reason: 'Wrong guest' });
    const denied = await seenAndAnswered('ben', 5 * MINUTE, 'deny');
    await correctAction(services, managerActor(), { id: denied.id, reason: 'It was fine' });
    const unread = await givenPendingAction(services);
    await answer(services, unread, 'ana');
    await withEdit();
    await withDeputy();
    await givenBrokenGlass(services);
    await expired();
    const withdrawn = await givenPendingAction(services);
    wait(4 * MINUTE);
    await withdrawAction(services, agentActor(), { id: withdrawn.id });
    await givenRefund(services);
    stats = await approvalStats(services, auditor, { agent: 'desk', days: 7 });
  });

  async function withEdit() {
    const { id, args_digest: digest, revision } = await givenPendingAction(services);
    await editAction(services, approverActor('ben'), { id, args: { id: 'R-2' }, digest, revision });
    await answer(services, { id }, 'ana');
  }

  async function withDeputy() {
    const endsAt = new Date(services.clock.now().getTime() + HOUR);
    const input = { agent: 'desk', to: 'dave', endsAt, reason: 'Away' };
    await createDeputy(services, approverActor('ana'), input);
    await answer(services, await givenPendingAction(services), 'dave');
  }

  /** One that nobody answered, and one of whose two only one did. */
  async function expired() {
    const silent = await givenRefund(services);
    await services.db.sql
      .updateTable('action')
      .set({ reach: JSON.stringify({ state: 'delivered', people: ['ana', 'ben'], at: '' }) })
      .where('id', '=', silent.id)
      .execute();
    const half = await givenRefund(services);
    await answer(services, half, 'ana');
    wait(2 * HOUR + 1);
    await sweepActions(services);
    await correctAction(services, managerActor(), { id: silent.id, reason: 'Nobody looked' });
  }

  test('count what was asked in the window, and how it ended', () => {
    expect(stats.asked).toEqual({
      asked: 13,
      approved: 8,
      denied: 1,
      edited: 1,
      expired: 2,
      unanswered: 1,
      stopped: 1,
      waiting: 1,
    });
    expect(tool('refund')).toMatchObject({ agent: 'desk', risk: 'medium', asked: 3, expired: 2, waiting: 1 });
    expect(tool('cancel')).toMatchObject({ asked: 10, approved: 8, denied: 1, stopped: 1 });
  });

  test('measure the time from shown to answered where it is known, and what was too fast to be read', () => {
    expect(stats.answers).toMatchObject({ answered: 10, approved: 9, denied: 1, asDeputy: 1 });
    expect(stats.answers).toMatchObject({ medianMs: about(3_000), p95Ms: about(241_800) });
    // ben's three seconds are not under three seconds; whatever has no time is not counted on either side
    expect(stats.answers.hasty).toEqual({ part: 2, of: 4, share: 0.5 });
    expect(of('ana')).toMatchObject({ answered: 6, medianMs: about(2_000), hasty: { part: 2, of: 3 } });
    expect(of('ben')).toMatchObject({
      answered: 2,
      approved: 1,
      denied: 1,
      edited: 1,
      hasty: { part: 0, of: 1 },
    });
  });

  test('say whom it falls on: who was reached or answered', () => {
    expect(of('ana')).toMatchObject({ asked: 7 });
    expect(of('ben')).toMatchObject({ asked: 3 });
    expect(of('dave')).toMatchObject({ asked: 1, answered: 1, asDeputy: 1, hasty: { part: 0, of: 0 } });
    expect(of('finn')).toMatchObject({ answered: 1 });
    expect(of('eve')).toBeUndefined();
  });

  test('show what waiting cost: right writes that waited, writes that were stopped and wrongly so', () => {
    expect(stats.breakGlass).toEqual({ count: 1, reviewed: 0, unjustified: 0 });
    expect(stats.gating.right).toEqual({ count: 1, medianMs: about(9_000), totalMs: 9_000 });
    expect(stats.gating.stopped).toEqual([
      { state: 'expired', approved: 6, count: 2, medianMs: about(2 * HOUR), totalMs: 4 * HOUR },
      { state: 'withdrawn', approved: 0, count: 1, medianMs: about(4 * MINUTE), totalMs: 4 * MINUTE },
    ]);
    expect(stats.gating.wronglyStopped).toEqual({
      count: 2,
      byPeople: 1,
      byPolicy: 0,
      expired: 1,
      medianMs: about((2 * HOUR + 5 * MINUTE) / 2),
      totalMs: 2 * HOUR + 5 * MINUTE,
    });
  });

  describe('a write that was wrongly stopped', () => {
    test('is logged as that, and is no harm', async () => {
      const { action } = await givenAsked(services, { tool: 'lookup' });
      await expect(
        correctAction(services, managerActor(), { id: action.id, reason: 'x' }),
      ).rejects.toMatchObject({ code: 'wrong_state' });
      const denied = await givenPendingAction(services);
      await answer(services, denied, 'ana', { verdict: 'deny' });
      await correctAction(services, managerActor(), { id: denied.id, reason: 'It was right' });
      await correctAction(services, managerActor(), { id: denied.id, reason: 'Said again' });
      expect(await entries(services, denied.id, 'action.wrongly_stopped')).toEqual([
        expect.objectContaining({ data: expect.objectContaining({ reason: 'It was right' }) }),
      ]);
      expect(await entries(services, denied.id, 'action.corrected')).toEqual([]);
      expect(await row(services, denied)).toMatchObject({
        state: 'denied',
        correction_reason: 'It was right',
      });
    });

    test('was stopped by policy, too; what was approved and not begun was not stopped', async () => {
      const { action } = await givenAsked(services, { tool: 'refund', args: { amount: 'all' } });
      expect(action).toMatchObject({ state: 'denied', decided_by: 'policy' });
      await correctAction(services, managerActor(), { id: action.id, reason: 'The schema is wrong' });
      const after = await approvalStats(services, auditor, { days: 7 });
      expect(after.gating.wronglyStopped.byPolicy).toBe(1);
      const approved = await givenPendingAction(services);
      await answer(services, approved, 'ana');
      wait(HOUR + 1);
      await sweepActions(services);
      expect(await row(services, approved)).toMatchObject({ state: 'expired' });
      await expect(
        correctAction(services, managerActor(), { id: approved.id, reason: 'x' }),
      ).rejects.toMatchObject({ code: 'wrong_state' });
    });
  });

  test('over HTTP: for people, not for agents, and empty where nothing was asked', async () => {
    const app = await createApi(services);
    const get = async (query: string, as = auditorToken) =>
      call(app, `GET /v1/approvals/stats${query}`, { as });
    const auditorToken = await givenToken(services, 'auditor');
    expect(await get('?agent=desk&days=30')).toMatchObject({
      status: 200,
      json: { days: 30, agent: 'desk' },
    });
    expect(await get('?days=0')).toMatchObject({ status: 400 });
    const agent = await givenToken(services, 'agent', { agent: 'desk' });
    expect(await get('', agent)).toMatchObject({ status: 403 });
    expect((await get('?agent=nobody')).json).toMatchObject({
      asked: { asked: 0 },
      answers: { answered: 0, hasty: { part: 0, of: 0 } },
      people: [],
      tools: [],
      gating: { right: { count: 0, totalMs: 0 }, stopped: [], wronglyStopped: { count: 0 } },
    });
    await app.close();
  });
});
