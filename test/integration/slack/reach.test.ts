import { afterAll, beforeAll, expect, test } from 'vitest';
import { createFollowActivities } from '../../../activities/follow.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { approverActor } from '../../support/fixtures.ts';
import { type FollowDesk, openFollowDesk } from './follow-desk.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

let desk: FollowDesk;
beforeAll(async () => {
  desk = await openFollowDesk({
    plain: { approval: 'desk' },
    chain: { approval: '{ group: desk, escalate: [{ after: 10m, to: leads }] }' },
    office: { approval: '{ group: day, expiresIn: 24h }' },
    evening: { approval: '{ group: desk, expiresIn: 24h, escalate: [{ after: 12h, to: leads }] }' },
    couple: { approval: '{ group: anytime, quorum: 2 }' },
    direct: { approval: '{ group: page, notify: dm }' },
    both: { approval: '{ group: desk, notify: both }' },
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

/** The next Monday to Friday at this hour. */
function at(hour: number, minute = 0): void {
  const { clock } = desk.services;
  const next = new Date(clock.now());
  next.setUTCHours(hour, minute, 0, 0);
  while (next < clock.now() || [0, 6].includes(next.getUTCDay())) next.setTime(next.getTime() + DAY_MS);
  clock.moveTo(next);
}

const shown = (id: string): string => visibleText(desk.cards(id)[0] ?? expect.fail());
const reachOf = async (id: string) => (await desk.row(id)).reach;

test('a card in the channel tells those of the group who are active and in hours, once', async () => {
  const { id } = await desk.given('plain', ['U0BEN']);
  await desk.follow(id, 3);
  expect(desk.cards(id)).toHaveLength(1);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana'] });
  expect(await desk.entries(id, 'action.reach')).toMatchObject([
    { state: 'delivered', people: ['ana'], told: { ana: ['channel'] } },
  ]);
  expect(desk.slack.calls('chat.update')).toHaveLength(0);
  expect(await desk.alerts(id)).toEqual([]);
});

test('nobody active: the escalation chain is asked at once and directly, and on-call is not alarmed', async () => {
  const { id } = await desk.given('chain', ['U0ANA', 'U0BEN']);
  await desk.follow(id, 2);
  expect((await desk.row(id)).routed).toMatchObject([{ group: 'leads', stage: 0, because: 'unreached' }]);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['cleo'] });
  expect(desk.direct('U0CLEO', id)).toHaveLength(1);
  expect(shown(id)).toContain('leads');
  expect(await desk.entries(id, 'action.escalated')).toMatchObject([
    { group: 'leads', because: 'unreached' },
  ]);
  expect(await desk.alerts(id)).toEqual([]);
  await answerAction(desk.services, approverActor('cleo'), { id, verdict: 'approve' });
  expect(await desk.row(id)).toMatchObject({ state: 'approved' });
});

test('out of hours the group for other hours is asked at once', async () => {
  at(20);
  const { id } = await desk.given('plain');
  await desk.follow(id);
  expect(await desk.row(id)).toMatchObject({
    routed: [{ group: 'night', because: 'out_of_hours' }],
    reach: { state: 'delivered', people: ['mia'] },
  });
  expect(desk.direct('U0MIA', id)).toHaveLength(1);
  expect(desk.direct('U0ANA', id)).toHaveLength(0);
});

test('everybody out of hours and no chain: on-call is told once, and the group is told when its hours begin', async () => {
  at(20);
  const { id } = await desk.given('office');
  await desk.follow(id, 3);
  expect(await reachOf(id)).toMatchObject({ state: 'unreached', people: [] });
  expect((await reachOf(id))?.problem).toMatch(/ana is out of hours until [\d-]+T08:00:00.000Z/);
  expect(await desk.alerts(id)).toEqual(['action.unreached']);
  expect(shown(id)).toContain('Nobody who may answer could be reached');
  await desk.live([id], 12 * 60 * MINUTE_MS);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben'] });
  expect(shown(id)).not.toContain('could be reached');
  expect(await desk.alerts(id)).toEqual(['action.unreached']);
  expect(desk.cards(id)).toHaveLength(1);
});

test('the end of hours asks the others as well, and is no alarm for those who were told', async () => {
  at(17, 50);
  const { id } = await desk.given('evening');
  await desk.live([id], 30 * MINUTE_MS);
  expect((await desk.row(id)).routed).toMatchObject([{ group: 'night', because: 'out_of_hours' }]);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben', 'mia'] });
  expect(await desk.alerts(id)).toEqual([]);
});

test('all together too few: on-call is told, and those who are there are told as well', async () => {
  const { id } = await desk.given('couple', ['U0BEN']);
  await desk.follow(id, 2);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana'] });
  expect((await reachOf(id))?.problem).toContain('all who may answer are too few');
  expect(await desk.alerts(id)).toEqual(['action.unreached']);
});

test('a Slack that does not say who is active is not taken for everybody gone', async () => {
  at(10);
  const { id } = await desk.given('plain');
  desk.slack.fail('users.info', { kind: 'http', status: 503 }, 50);
  await desk.follow(id);
  desk.slack.clearFaults();
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben'] });
});

test('directly: a card for each who has an account, no more in the channel, and every copy follows', async () => {
  const { id } = await desk.given('direct');
  await desk.follow(id, 2);
  expect(desk.cards(id)).toHaveLength(0);
  expect(desk.direct('U0ANA', id)).toHaveLength(1);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana'] });
  await answerAction(desk.services, approverActor('pat'), { id, verdict: 'deny' });
  expect(await desk.follow(id)).toMatchObject({ state: 'denied', final: true });
  expect(visibleText(desk.direct('U0ANA', id)[0] ?? expect.fail())).toContain('Denied by Pat');
});

test('both ways: a channel copy and a direct one, told twice and counted once', async () => {
  at(10);
  const { id } = await desk.given('both');
  await desk.follow(id, 2);
  expect(desk.cards(id)).toHaveLength(1);
  expect([desk.direct('U0ANA', id).length, desk.direct('U0BEN', id).length]).toEqual([1, 1]);
  expect(await desk.entries(id, 'action.reach')).toMatchObject([
    { told: { ana: ['channel', 'dm'], ben: ['channel', 'dm'] } },
  ]);
});

test('without Slack people look at the queue page: told there in their hours, else on-call is', async () => {
  const { followAction } = createFollowActivities({ services: desk.services });
  at(12);
  const { id } = await desk.given('office');
  await followAction(id);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben'] });
  expect(await desk.entries(id, 'action.reach')).toMatchObject([{ told: { ana: ['page'], ben: ['page'] } }]);
  at(20);
  const other = await desk.given('office');
  await followAction(other.id);
  expect(await reachOf(other.id)).toMatchObject({ state: 'unreached' });
  expect(await desk.alerts(other.id)).toEqual(['action.unreached']);
  expect(desk.cards(id)).toHaveLength(0);
});
