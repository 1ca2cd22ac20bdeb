import { afterAll, beforeAll, expect, test } from 'vitest';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { VALUE } from '../../../src/cards/blocks/buttons.ts';
import { findElement, visibleText } from '../../fakes/slack/visible.ts';
import type { Message } from '../../fakes/slack/world.ts';
import { approverActor } from '../../support/fixtures.ts';
import { type FollowDesk, openFollowDesk } from './follow-desk.ts';
import { CHANNEL } from './support.ts';

const MINUTE_MS = 60_000;
const QUARTER_MS = 15 * MINUTE_MS;

let desk: FollowDesk;
beforeAll(async () => {
  desk = await openFollowDesk({
    low: { approval: '{ group: anytime, expiresIn: 8h, remindAfter: 1h, notify: digest }', risk: 'low' },
    high: { approval: '{ group: anytime, expiresIn: 8h, notify: digest }', risk: 'high' },
    short: { approval: '{ group: anytime, expiresIn: 20m, notify: digest }', risk: 'low' },
    chain: {
      approval: '{ group: anytime, expiresIn: 8h, notify: digest, escalate: [{ after: 1h, to: leads }] }',
      risk: 'low',
    },
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

const digests = (): Message[] =>
  desk.slack.messages(CHANNEL).filter(({ text, threadTs }) => /low-risk request/.test(text) && !threadTs);
const lastDigest = (): Message => digests().at(-1) ?? expect.fail();
const reachOf = async (id: string) => (await desk.row(id)).reach;
const channel = () => desk.slack.world.channels.get(CHANNEL) ?? expect.fail();
const outbox = async (topic: 'digest' | 'action') =>
  (await desk.services.db.sql.selectFrom('outbox').select('key').where('topic', '=', topic).execute()).map(
    ({ key }) => key,
  );

/** The rest of this quarter of an hour, and the digest that ends it. */
async function nextDigest(): Promise<void> {
  const { clock } = desk.services;
  const leftMs = QUARTER_MS - (clock.now().getTime() % QUARTER_MS);
  const before = digests().length;
  await desk.digest();
  clock.advance(leftMs - 1);
  await desk.digest();
  expect(digests()).toHaveLength(before);
  clock.advance(1);
  await desk.digest();
}

async function answerAll(): Promise<void> {
  await sweepActions(desk.services);
  const waiting = await desk.services.db.sql
    .selectFrom('action')
    .select('id')
    .where('state', '=', 'pending')
    .execute();
  for (const { id } of waiting) {
    await answerAction(desk.services, approverActor(), { id, verdict: 'deny' });
    await desk.follow(id);
  }
  await desk.digest();
}

test('low risk has no card: it joins the digest, which goes out within a quarter of an hour', async () => {
  const actions = [await desk.given('low'), await desk.given('low')];
  for (const { id } of actions) await desk.follow(id, 2);
  const [first] = actions;
  const { id } = first ?? expect.fail();
  const queued = await reachOf(id);
  expect(queued).toMatchObject({ state: 'queued', people: [] });
  expect(Date.parse(queued?.postAt ?? '') - desk.services.clock.now().getTime()).toBeLessThanOrEqual(
    QUARTER_MS,
  );
  expect(await outbox('digest')).toEqual(['desk', 'desk']);
  expect(desk.slack.messages(CHANNEL)).toHaveLength(0);
  await nextDigest();
  expect(digests()).toHaveLength(1);
  const shown = visibleText(lastDigest());
  expect(shown).toContain('2 low-risk requests of agent desk wait for an answer');
  expect(lastDigest().text).toContain(`/actions/${id}`);
  expect(VALUE.digest.parse(String(findElement(lastDigest(), 'Answer them').element.value))).toEqual({
    agent: 'desk',
  });
  expect(await outbox('action')).toContain(id);
  await desk.follow(id, 2);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben'] });
  expect((await desk.entries(id, 'action.reach')).at(-1)).toMatchObject({ told: { ana: ['digest'] } });
  expect(desk.cards(id).filter((one) => one.ts !== lastDigest().ts)).toHaveLength(0);
  expect(await desk.digest()).toMatchObject({ final: true });
  await answerAll();
});

test('a digest says what was answered meanwhile, and another goes out for what joined', async () => {
  const first = await desk.given('low');
  await desk.follow(first.id);
  await nextDigest();
  await desk.follow(first.id);
  const earlier = lastDigest();
  const second = await desk.given('low');
  await desk.follow(second.id);
  await answerAction(desk.services, approverActor(), { id: first.id, verdict: 'approve' });
  await desk.follow(first.id);
  await desk.digest();
  expect(visibleText(desk.slack.message(CHANNEL, earlier.ts) ?? earlier)).toContain('All 1 low-risk');
  expect(() => findElement(desk.slack.message(CHANNEL, earlier.ts) ?? earlier, 'Answer them')).toThrow();
  await nextDigest();
  expect(lastDigest().ts).not.toBe(earlier.ts);
  expect(lastDigest().text).toContain(second.id);
  expect(lastDigest().text).not.toContain(first.id);
  await answerAll();
});

test('twenty are listed and the rest is counted; reminders come in the thread of the digest', async () => {
  const ids: string[] = [];
  for (let n = 0; n < 23; n++) ids.push((await desk.given('low')).id);
  for (const id of ids) await desk.follow(id);
  await nextDigest();
  const shown = visibleText(lastDigest());
  expect(shown).toContain('23 low-risk requests');
  expect(shown).toContain('and 3 more, on the queue page');
  expect(shown.match(/low R-1/g)).toHaveLength(20);
  const [id = ''] = ids;
  await desk.follow(id);
  desk.services.clock.advance(60 * MINUTE_MS);
  await desk.live([id], MINUTE_MS);
  expect(desk.threads(id).map(({ threadTs }) => threadTs)).toEqual([lastDigest().ts]);
  await answerAll();
});

test('what may not wait for a digest has a card of its own: more risk, less time, somebody else to ask', async () => {
  const high = await desk.given('high');
  const short = await desk.given('short');
  await desk.live([high.id, short.id], 5_000);
  expect([desk.cards(high.id).length, desk.cards(short.id).length]).toEqual([1, 1]);
  const chain = await desk.given('chain');
  await desk.follow(chain.id);
  await nextDigest();
  await desk.follow(chain.id);
  expect(lastDigest().text).toContain(chain.id);
  desk.services.clock.advance(60 * MINUTE_MS);
  await desk.live([chain.id], MINUTE_MS);
  expect(desk.direct('U0CLEO', chain.id)).toHaveLength(1);
  await answerAll();
});

test('a digest that cannot go out: each is told alone, and on-call only when that fails too', async () => {
  const { id } = await desk.given('low');
  await desk.follow(id);
  channel().archived = true;
  await nextDigest();
  expect(await reachOf(id)).toMatchObject({ state: 'undelivered' });
  expect(await desk.alerts(id)).toEqual([]);
  await desk.live([id], MINUTE_MS);
  channel().archived = false;
  expect(desk.direct('U0ANA', id)).toHaveLength(1);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered', people: ['ana', 'ben'] });
  expect(await desk.alerts(id)).toEqual([]);
  await answerAll();
});

test('no digest at all: after two minutes each is told alone', async () => {
  const { id } = await desk.given('low');
  await desk.live([id], QUARTER_MS + 3 * MINUTE_MS);
  expect(desk.cards(id)).toHaveLength(1);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered' });
  await answerAll();
});

test('a worker that died after posting, and two at once, make one digest', async () => {
  const { id } = await desk.given('low');
  await desk.follow(id);
  const before = digests().length;
  const { db } = desk.services;
  desk.services.clock.advance(QUARTER_MS);
  const failing = db.sql.withPlugin({
    transformQuery({ node }) {
      if (node.kind === 'InsertQueryNode' && JSON.stringify(node.into).includes('digest_item'))
        throw new Error('killed');
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  desk.services.db = { ...db, sql: failing };
  await expect(desk.digest()).rejects.toThrow('killed');
  desk.services.db = db;
  desk.restart();
  await Promise.all([desk.digest(), desk.digest()]);
  expect(digests()).toHaveLength(before + 1);
  await desk.follow(id);
  expect(await reachOf(id)).toMatchObject({ state: 'delivered' });
});
