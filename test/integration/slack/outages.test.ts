import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../../src/db/database.ts';
import { createSlackApp } from '../../../src/slack/app.ts';
import { startFakeSlack } from '../../fakes/slack/server.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { verifies } from '../../requirements.ts';
import { createTestServices } from '../../support/services.ts';
import { CHANNEL, type Desk, openDesk } from './support.ts';

let desk: Desk;
let store: Database;
beforeEach(async () => {
  desk = await openDesk();
  store = desk.services.db;
});
afterEach(async () => {
  desk.services.db = store;
  await desk[Symbol.asyncDispose]();
});

/** The same service with a Postgres that is not there. */
async function loseStore(): Promise<void> {
  desk.services.db = await openDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', poolSize: 1 });
}

verifies(
  'never:decision-shown-but-not-made',
  'with the store down a click is told that it was NOT recorded, and counts when it is pressed again',
  async () => {
    const { action, card } = await desk.givenCard();
    await loseStore();
    await desk.slack.click(card, 'Approve', 'U0ANA').ack();
    expect((await desk.slack.nextEphemeral('U0ANA')).text).toContain('NOT recorded');
    await desk.slack.click(card, 'Deny', 'U0BEN').ack();
    expect((await desk.slack.nextEphemeral('U0BEN')).text).toContain('NOT recorded');
    const modal = await desk.slack.nextView('U0BEN');
    await expect.poll(() => visibleText(desk.slack.view(modal.id) ?? modal)).toContain('NOT recorded');
    await desk.slack.command('/portcullis', 'disable desk fire', 'U0CLEO', CHANNEL).ack();
    expect((await desk.slack.nextEphemeral('U0CLEO')).text).toContain('NOT recorded');
    desk.services.db = store;
    expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
    expect(desk.slack.message(CHANNEL, card.ts)?.revisions).toHaveLength(1);
    await desk.slack.click(card, 'Approve', 'U0ANA').ack();
    await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Ana'));
  },
);

test('a click is decided while the Web API does not answer, and its card follows', async () => {
  const { action, card } = await desk.givenCard();
  desk.slack.fail('*', { kind: 'http', status: 503 }, 20);
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  await expect.poll(async () => (await desk.row(action.id)).state).toBe('approved');
  desk.slack.clearFaults();
  await desk.cards.syncActionCards(action.id);
  expect(visibleText(desk.slack.message(CHANNEL, card.ts) ?? card)).toContain('Approved by Ana');
});

test('clicks go on counting after the connection was lost', async () => {
  const { action, card } = await desk.givenCard();
  desk.slack.drop();
  await desk.slack.connected(1, 2, 10_000);
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  await expect.poll(async () => (await desk.row(action.id)).state).toBe('approved');
});

test('a Slack that answers late is waited for; a token that Slack refuses is an error', async () => {
  await using slack = await startFakeSlack();
  const services = await createTestServices();
  slack.fail('auth.test', { kind: 'http', status: 503 }, 2);
  const { bot, app: appToken } = slack.tokens;
  const app = await createSlackApp(services, { botToken: bot, appToken, apiUrl: slack.url });
  await app.start();
  await slack.connected();
  await app.stop();
  const wrong = await createSlackApp(services, { botToken: 'xoxb-wrong', appToken, apiUrl: slack.url });
  await expect(wrong.start()).rejects.toMatchObject({ code: 'config_invalid' });
  await wrong.stop();
  await services.close();
});
