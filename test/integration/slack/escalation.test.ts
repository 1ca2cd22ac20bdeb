import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { askedOf, queueOf } from '../../../src/reaching/asked.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { approverActor } from '../../support/fixtures.ts';
import { type FollowDesk, openFollowDesk } from './follow-desk.ts';

const MINUTE_MS = 60_000;

let desk: FollowDesk;
beforeAll(async () => {
  desk = await openFollowDesk({
    plain: { approval: '{ group: anytime, expiresIn: 100m, remindAfter: 5m }' },
    couple: { approval: '{ group: anytime, quorum: 2, expiresIn: 100m, remindAfter: 5m }' },
    both: { approval: '{ group: anytime, expiresIn: 100m, remindAfter: 30m, notify: both }' },
    chain: {
      approval:
        '{ group: anytime, expiresIn: 2h, escalate: [{ after: 10m, to: leads }, { after: 30m, to: night }] }',
    },
    staged: {
      approval:
        '{ stages: [{ group: anytime }, { group: page }], expiresIn: 4h, escalate: [{ after: 10m, to: leads }] }',
    },
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

const routedOf = async (id: string) =>
  (await desk.row(id)).routed.map(({ group, stage, because }) => [group, stage, because]);

test('reminders come with waits that double, in the thread, naming who has not answered', async () => {
  const { id } = await desk.given('plain');
  await desk.follow(id);
  const reminders: number[] = [];
  for (let minute = 5; minute <= 100; minute += 5) {
    const before = desk.threads(id).length;
    await desk.live([id], 5 * MINUTE_MS);
    await desk.follow(id);
    if (desk.threads(id).length > before) reminders.push(minute);
  }
  expect(reminders).toEqual([5, 15, 35, 75]);
  expect(desk.threads(id)[0]?.text).toContain('<@U0ANA>, <@U0BEN>: still waiting for an answer: plain R-1');
  expect((await desk.row(id)).reminders).toBe(4);
  expect(await desk.entries(id, 'action.reminded')).toHaveLength(4);
  expect(desk.cards(id)[0]?.revisions).toHaveLength(1);
});

test('who answered is not reminded', async () => {
  const { id } = await desk.given('couple');
  await desk.follow(id);
  await answerAction(desk.services, approverActor('ana'), { id, verdict: 'approve' });
  await desk.live([id], 6 * MINUTE_MS);
  expect(desk.threads(id)[0]?.text).toMatch(/^<@U0BEN>: still waiting/);
});

test('who got it directly is reminded there', async () => {
  const { id } = await desk.given('both');
  await desk.live([id], 31 * MINUTE_MS);
  expect(desk.threads(id)).toHaveLength(1);
  expect(desk.direct('U0ANA', id)).toHaveLength(2);
  expect(desk.direct('U0BEN', id)).toHaveLength(2);
  expect((await desk.row(id)).reminders).toBe(1);
});

test('a reminder is given once by many workers at once, and those missed meanwhile are not made up for', async () => {
  const { id } = await desk.given('plain');
  await desk.follow(id);
  desk.services.clock.advance(40 * MINUTE_MS);
  await Promise.all([desk.follow(id), desk.follow(id), desk.follow(id)]);
  await desk.live([id], MINUTE_MS);
  expect(desk.threads(id)).toHaveLength(1);
  expect((await desk.row(id)).reminders).toBe(3);
});

test('nobody answers: the chain is asked in its order and its time, directly, and the card says so', async () => {
  const { id } = await desk.given('chain');
  await desk.live([id], 9 * MINUTE_MS);
  expect(await routedOf(id)).toEqual([]);
  await desk.live([id], 2 * MINUTE_MS);
  expect(await routedOf(id)).toEqual([['leads', 0, 'unanswered']]);
  expect([desk.direct('U0CLEO', id).length, desk.direct('U0MIA', id).length]).toEqual([1, 0]);
  expect(visibleText(desk.cards(id)[0] ?? expect.fail())).toMatch(
    /Escalated: group leads|group leads may answer/,
  );
  await desk.live([id], 20 * MINUTE_MS);
  expect(await routedOf(id)).toEqual([
    ['leads', 0, 'unanswered'],
    ['night', 0, 'unanswered'],
  ]);
  expect(desk.direct('U0MIA', id)).toHaveLength(1);
  expect(await desk.entries(id, 'action.escalated')).toMatchObject([
    { group: 'leads', because: 'unanswered', stage: 0, round: 0 },
    { group: 'night', because: 'unanswered' },
  ]);
  await answerAction(desk.services, approverActor('cleo'), { id, verdict: 'approve' });
  expect(await desk.follow(id)).toMatchObject({ state: 'approved' });
  expect(visibleText(desk.direct('U0MIA', id)[0] ?? expect.fail())).toContain('Approved by Cleo');
});

test('the chain counts anew from when the next stage opens, and its people are reached anew', async () => {
  const { id } = await desk.given('staged');
  await desk.live([id], 5 * MINUTE_MS);
  await answerAction(desk.services, approverActor('ana'), { id, verdict: 'approve' });
  expect((await desk.row(id)).reach).toBeNull();
  await desk.live([id], 9 * MINUTE_MS);
  expect(await routedOf(id)).toEqual([]);
  expect((await desk.row(id)).reach).toMatchObject({ state: 'delivered', people: ['ana'] });
  await desk.live([id], 2 * MINUTE_MS);
  expect(await routedOf(id)).toEqual([['leads', 1, 'unanswered']]);
  expect(desk.cards(id)).toHaveLength(1);
});

test('the chain counts anew from an edit, and who was told of what was asked before is told anew', async () => {
  const { id } = await desk.given('chain');
  await desk.live([id], 5 * MINUTE_MS);
  const { args_digest: digest, revision } = await desk.row(id);
  const input = { id, args: { id: 'R-2' }, digest, revision };
  await editAction(desk.services, approverActor('ana'), input);
  const edited = await desk.row(id);
  expect(edited.reach).toBeNull();
  const asked = await askedOf(desk.services.db.sql, edited, desk.services.clock.now());
  expect(asked.map(({ person, told }) => [person, told])).toEqual([['ben', []]]);
  await desk.live([id], 9 * MINUTE_MS);
  expect(await routedOf(id)).toEqual([]);
  expect((await desk.row(id)).reach).toMatchObject({ state: 'delivered', people: ['ben'] });
  await desk.live([id], 2 * MINUTE_MS);
  expect(await routedOf(id)).toEqual([['leads', 0, 'unanswered']]);
});

test('askedOf() and queueOf() say who was asked, by which group, how and since when, and who is before', async () => {
  const [first, second, other] = [
    await desk.given('chain'),
    await desk.given('staged'),
    await desk.given('plain'),
  ];
  const { sql } = desk.services.db;
  const before = (await queueOf(sql, first))?.ahead ?? 0;
  await desk.live([first.id], 11 * MINUTE_MS);
  const action = await desk.row(first.id);
  expect(await askedOf(sql, action, desk.services.clock.now())).toEqual([
    { person: 'ana', groups: ['anytime'], because: 'asked', told: ['channel'], at: expect.any(String) },
    { person: 'ben', groups: ['anytime'], because: 'asked', told: ['channel'], at: expect.any(String) },
    {
      person: 'cleo',
      groups: ['leads'],
      because: 'unanswered',
      told: ['channel', 'dm'],
      at: expect.any(String),
    },
  ]);
  expect(await queueOf(sql, second)).toEqual({ position: before + 2, ahead: before + 1 });
  expect((await queueOf(sql, other))?.ahead).toBe(before + 2);
  await answerAction(desk.services, approverActor('ana'), { id: second.id, verdict: 'approve' });
  expect((await queueOf(sql, other))?.ahead).toBe(before + 1);
  await answerAction(desk.services, approverActor('ana'), { id: other.id, verdict: 'deny' });
  expect(await queueOf(sql, await desk.row(other.id))).toBeUndefined();
});

test('an unanswered action expires by its own word, and every copy says so', async () => {
  const { id } = await desk.given('both');
  await desk.live([id], 100 * MINUTE_MS);
  desk.services.clock.advance(1);
  await sweepActions(desk.services);
  expect(await desk.follow(id)).toMatchObject({ state: 'expired', final: true });
  for (const copy of [...desk.cards(id), desk.direct('U0ANA', id)[0]])
    expect(visibleText(copy ?? expect.fail())).toContain('Expired unanswered');
});
