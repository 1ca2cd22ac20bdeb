import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerAction } from '../../../src/approvals/answer.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { approverActor } from '../../support/fixtures.ts';
import { type FollowDesk, openFollowDesk } from './follow-desk.ts';
import { CHANNEL } from './support.ts';

const MINUTE_MS = 60_000;

let desk: FollowDesk;
beforeAll(async () => {
  desk = await openFollowDesk({
    plain: { approval: '{ group: anytime, expiresIn: 4h }' },
    couple: { approval: '{ group: anytime, quorum: 2 }' },
    chain: { approval: '{ group: anytime, expiresIn: 4h, escalate: [{ after: 2h, to: leads }] }' },
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

const channel = () => desk.slack.world.channels.get(CHANNEL) ?? expect.fail();
const reachOf = async (id: string) => (await desk.row(id)).reach;
const posts = () => desk.slack.calls('chat.postMessage').length;

test('a channel that is archived, or without the bot: a card for each of the group instead, and no alarm', async () => {
  channel().archived = true;
  const { id } = await desk.given('plain');
  await desk.follow(id, 2);
  channel().archived = false;
  expect(desk.cards(id)).toHaveLength(0);
  expect([desk.direct('U0ANA', id).length, desk.direct('U0BEN', id).length]).toEqual([1, 1]);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben'] });
  expect(await desk.alerts(id)).toEqual([]);
  const bot = desk.slack.world.workspace.botUserId;
  channel().members.delete(bot);
  const other = await desk.given('plain');
  await desk.follow(other.id);
  expect(desk.direct('U0ANA', other.id)).toHaveLength(1);
  channel().members.add(bot);
  await desk.live([other.id], 20 * MINUTE_MS);
  expect(desk.cards(other.id)).toHaveLength(1);
  expect(desk.direct('U0ANA', other.id)).toHaveLength(1);
});

test('nobody can be told: on-call is, once; it is tried on and ends delivered when somebody mends it', async () => {
  channel().archived = true;
  desk.slack.fail('conversations.open', { kind: 'error', error: 'missing_scope' }, 1_000);
  const { id } = await desk.given('plain');
  await desk.live([id], 10 * MINUTE_MS);
  const reach = await reachOf(id);
  expect(reach).toMatchObject({ state: 'undelivered', people: [] });
  expect(reach?.problem).toContain(`Slack answered is_archived for ${CHANNEL}`);
  expect(reach?.problem).toContain('missing_scope for ana');
  expect(await desk.alerts(id)).toEqual(['action.undelivered']);
  desk.slack.clearFaults();
  channel().archived = false;
  await desk.live([id], 2 * MINUTE_MS);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben'] });
  await desk.live([id], 15 * MINUTE_MS);
  expect(desk.cards(id)).toHaveLength(1);
  expect(visibleText(desk.cards(id)[0] ?? expect.fail())).not.toContain('Not delivered');
  expect(await desk.alerts(id)).toEqual(['action.undelivered']);
});

test('a Slack that does not answer: on-call is told after a minute and not before', async () => {
  desk.slack.fail('chat.postMessage', { kind: 'http', status: 503 }, 1_000);
  const { id } = await desk.given('plain');
  await desk.live([id], MINUTE_MS - 1);
  expect(await reachOf(id)).toMatchObject({
    state: 'queued',
    problem: expect.stringContaining('not_reached'),
  });
  expect(await desk.alerts(id)).toEqual([]);
  await desk.live([id], 2 * MINUTE_MS);
  expect(await reachOf(id)).toMatchObject({ state: 'undelivered' });
  expect(await desk.alerts(id)).toEqual(['action.undelivered']);
  desk.slack.clearFaults();
  await desk.live([id], 2 * MINUTE_MS);
  expect(desk.cards(id)).toHaveLength(1);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered' });
});

test('a 429 is waited for at Slack’s own word, and nobody is alarmed', async () => {
  desk.slack.fail('chat.postMessage', { kind: 'rate-limited', retryAfter: 40 });
  const { id } = await desk.given('plain');
  const before = posts();
  await desk.live([id], 39_000);
  expect(posts()).toBe(before + 1);
  await desk.live([id], 2_000);
  expect(desk.cards(id)).toHaveLength(1);
  expect(await desk.alerts(id)).toEqual([]);
});

test('a post whose answer was lost is found by the next worker, not posted again', async () => {
  desk.slack.fail('chat.postMessage', { kind: 'hang-after' });
  const { id } = await desk.given('plain');
  await desk.follow(id);
  desk.restart();
  await desk.live([id], MINUTE_MS);
  expect(desk.cards(id)).toHaveLength(1);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered' });
});

test('workers at the same moment post one card, and what they write down ends true', async () => {
  const { id } = await desk.given('plain');
  await Promise.all([desk.follow(id), desk.follow(id), desk.follow(id)]);
  await desk.live([id], MINUTE_MS);
  expect(desk.cards(id)).toHaveLength(1);
  const states = (await desk.entries(id, 'action.reach')).map(({ state }) => state);
  expect(states.filter((state) => state === 'delivered')).toHaveLength(1);
  expect(states.at(-1)).toBe('delivered');
});

test('a card that somebody deleted is posted again as soon as it has something new to say', async () => {
  const { id } = await desk.given('couple');
  await desk.follow(id);
  const [card] = desk.cards(id);
  desk.slack.world.remove(desk.slack.world.message(CHANNEL, card?.ts ?? '') ?? expect.fail(), 'chat.delete');
  await answerAction(desk.services, approverActor('ana'), { id, verdict: 'approve' });
  await desk.live([id], MINUTE_MS);
  expect(desk.cards(id)).toHaveLength(1);
  expect(visibleText(desk.cards(id)[0] ?? expect.fail())).toContain('Approved by Ana');
});

/** The worker dies before the `nth` query from now. False: it was through before that. */
async function killedAt(nth: number, id: string): Promise<boolean> {
  const { db } = desk.services;
  let queries = 0;
  const sql = db.sql.withPlugin({
    transformQuery({ node }) {
      queries += 1;
      if (queries >= nth) throw new Error('killed');
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  desk.services.db = { ...db, sql };
  const killed = await desk.follow(id).then(
    () => false,
    () => true,
  );
  desk.services.db = db;
  desk.restart();
  return killed;
}

test('killed between any two steps: nothing is lost and nothing doubled', { timeout: 180_000 }, async () => {
  let nth = 1;
  for (let killed = true; killed; nth++) {
    const { id } = await desk.given('chain', ['U0ANA', 'U0BEN']);
    killed = await killedAt(nth, id);
    await desk.live([id], MINUTE_MS);
    expect([nth, desk.cards(id).length, desk.direct('U0CLEO', id).length]).toEqual([nth, 1, 1]);
    expect((await desk.row(id)).routed).toMatchObject([{ group: 'leads', because: 'unreached' }]);
    expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['cleo'] });
    expect(await desk.entries(id, 'action.escalated')).toHaveLength(1);
  }
  expect(nth).toBeGreaterThan(40);
});

test('killed between any two steps of a reminder: it comes once', { timeout: 180_000 }, async () => {
  let nth = 1;
  for (let killed = true; killed; nth++) {
    const { id } = await desk.given('plain');
    await desk.follow(id);
    desk.services.clock.advance(121 * MINUTE_MS);
    killed = await killedAt(nth, id);
    await desk.live([id], MINUTE_MS);
    expect([nth, desk.threads(id).length, (await desk.row(id)).reminders]).toEqual([nth, 1, 1]);
    expect(await desk.entries(id, 'action.reminded')).toHaveLength(1);
  }
  expect(nth).toBeGreaterThan(25);
});
