import { beforeAll, expect, test } from 'vitest';
import type { Actor } from '../../../src/actor.ts';
import { createApi } from '../../../src/api/server.ts';
import { listUnreviewed, reviewBreakGlass } from '../../../src/approvals/review.ts';
import { call } from '../../support/api.ts';
import {
  actorOf,
  approverActor,
  givenApprovedAction,
  givenPendingAction,
  givenToken,
  managerActor,
} from '../../support/fixtures.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { entries, row } from '../actions/support.ts';
import { answer, givenBrokenGlass, givenPeople } from './people.ts';

const auditor = (person?: string): Actor => actorOf('auditor', { ...(person ? { person } : {}) });

describeWithServices('review of a broken glass', (make) => {
  let services: TestServices;
  const review = (actor: Actor, { id }: { id: string }, justified = true, note = 'It did burn') =>
    reviewBreakGlass(services, actor, { id, justified, note });

  beforeAll(async () => {
    services = await make();
    await givenPeople(services);
  });

  test.each([
    ['an owner', approverActor('olga')],
    ['a release manager', actorOf('release-manager', { person: 'cleo' })],
    ['an auditor', auditor('eve')],
  ])('%s reviews it, once, and it is logged', async (_, actor) => {
    const action = await givenBrokenGlass(services);
    expect((await listUnreviewed(services.db.sql)).map((one) => one.action.id)).toContain(action.id);
    const reviewed = await review(actor, action, false, 'It was a drill');
    expect(reviewed).toMatchObject({
      reviewed_by: actor.person,
      review: { justified: false, note: 'It was a drill' },
      state: 'approved',
    });
    expect((await listUnreviewed(services.db.sql)).map((one) => one.action.id)).not.toContain(action.id);
    await review(actor, action, false, 'It was a drill');
    const logged = await entries(services, action.id, 'action.reviewed');
    expect(logged).toEqual([
      expect.objectContaining({
        actor: actor.person,
        data: { justified: false, note: 'It was a drill', via: 'api', identity: 'test' },
      }),
    ]);
    await expect(review(auditor('cleo'), action)).rejects.toMatchObject({ code: 'wrong_state' });
    expect(await row(services, action)).toMatchObject({ reviewed_by: actor.person });
  });

  test('two reviews at once: one counts', async () => {
    const action = await givenBrokenGlass(services);
    const both = await Promise.allSettled([
      review(auditor('eve'), action, true),
      review(managerActor(), action, false),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await entries(services, action.id, 'action.reviewed')).toHaveLength(1);
  });

  test.each([
    ['whoever broke it', actorOf(['auditor', 'approver'], { person: 'finn' }), 'not_eligible'],
    ['whoever it was asked for', auditor('ana'), 'not_eligible'],
    ['a token of nobody', auditor(), 'not_eligible'],
    ['another approver', approverActor('ben'), 'forbidden'],
    ['an agent', actorOf('agent', { person: 'olga', agent: 'desk' }), 'forbidden'],
    ['another agent’s auditor', actorOf('auditor', { person: 'eve', agent: 'other' }), 'not_found'],
  ])('%s may not', async (_, actor, code) => {
    const { id } = await givenPendingAction(services, { behind: ['ana'] });
    const { action } = await answer(services, { id }, 'finn', { breakGlass: true, reason: 'Fire' });
    await expect(review(actor, action)).rejects.toMatchObject({ code });
    expect(await row(services, action)).toMatchObject({ reviewed_by: null, review: null });
  });

  test('what was approved by those who were asked is nothing to review', async () => {
    const action = await givenApprovedAction(services);
    await expect(review(managerActor(), action)).rejects.toMatchObject({ code: 'wrong_state' });
  });

  test('over HTTP: listed with who broke it and why, reviewed, shown with the action', async () => {
    const action = await givenBrokenGlass(services);
    const app = await createApi(services);
    const as = await givenToken(services, 'auditor', { person: 'eve' });
    const list = async () => (await call(app, 'GET /v1/approvals/reviews?agent=desk', { as })).json.reviews;
    const found = (await list()).find((one: { action: { id: string } }) => one.action.id === action.id);
    expect(found).toMatchObject({ person: 'finn', via: 'api', reason: 'The hotel burns' });
    const post = (body: Record<string, unknown>) =>
      call(app, `POST /v1/actions/${action.id}/review`, { as, body });
    expect(await post({ justified: true, note: '' })).toMatchObject({ status: 400 });
    expect(await post({ justified: true, note: 'Seen the smoke' })).toMatchObject({
      status: 200,
      json: { breakGlass: { reviewed: { person: 'eve', justified: true, note: 'Seen the smoke' } } },
    });
    expect((await list()).map((one: { action: { id: string } }) => one.action.id)).not.toContain(action.id);
    await app.close();
  });
});
