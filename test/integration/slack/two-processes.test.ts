import { afterAll, beforeAll, expect, test } from 'vitest';
import { cardVersion } from '../../../src/cards/card-facts.ts';
import { keepCopy } from '../../../src/cards/copies.ts';
import { createSlackApp, type SlackApp } from '../../../src/slack/app.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { ALERTS, CHANNEL, type Desk, openDesk } from './support.ts';

let desk: Desk;
let second: SlackApp;
beforeAll(async () => {
  desk = await openDesk();
  const { bot, app: appToken } = desk.slack.tokens;
  second = await createSlackApp(desk.services, { botToken: bot, appToken, apiUrl: desk.slack.url });
  await second.start();
  await desk.slack.connected(2);
});
afterAll(async () => {
  await second.stop();
  await desk[Symbol.asyncDispose]();
});

const decisions = (id: string) =>
  desk.services.db.sql.selectFrom('decision').selectAll().where('action_id', '=', id).execute();

/** A card with a copy posted by each process. */
async function givenTwoCopies() {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  const { text, blocks } = card;
  const copy = await second.port.post(ALERTS, { text, blocks: blocks as never });
  await keepCopy(desk.services, action.id, copy, await cardVersion(desk.services.db.sql, action.id));
  return { action, card, other: await desk.slack.nextMessage(ALERTS, ({ ts }) => ts === copy.ts) };
}

test('each click goes to one of two processes, wherever the card was posted, and both copies follow', async () => {
  const { action, card, other } = await givenTwoCopies();
  const first = await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  const last = await desk.slack.click(other, 'Approve', 'U0BEN').ack();
  expect(first.connection).not.toBe(last.connection);
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved' });
  await desk.cards.syncActionCards(action.id);
  for (const { channel, ts } of [card, other])
    expect(visibleText(desk.slack.message(channel, ts) ?? expect.fail())).toMatch(/Approved by Ana .*, Ben/);
});

test('two people at once, and the same click at both processes, count once each', async () => {
  const { action, card, other } = await givenTwoCopies();
  const clicks = [
    desk.slack.click(card, 'Approve', 'U0ANA'),
    desk.slack.click(other, 'Approve', 'U0ANA'),
    desk.slack.click(card, 'Approve', 'U0BEN'),
  ];
  const again = clicks.map((click) => desk.slack.redeliver(click));
  await Promise.all([...clicks, ...again].map((click) => click.ack()));
  await expect.poll(async () => (await desk.row(action.id)).state).toBe('approved');
  expect((await decisions(action.id)).map(({ person }) => person).sort()).toEqual(['ana', 'ben']);
});

test('clicks go on when one process reconnects, and when one is gone', async () => {
  const { action, card } = await givenTwoCopies();
  desk.slack.disconnect('refresh_requested', 'one');
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  await desk.slack.connected(2, 3, 10_000);
  await second.stop();
  await expect.poll(() => desk.slack.connections().open).toBe(1);
  await desk.slack.click(card, 'Approve', 'U0BEN').ack();
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved' });
  expect(desk.slack.messages(CHANNEL).filter(({ text }) => text.includes(action.id))).toHaveLength(1);
});
