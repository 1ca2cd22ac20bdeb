import { afterEach, beforeEach, expect, test } from 'vitest';
import { encoded, signed } from '../../fakes/slack/http-delivery.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { type HttpDesk, openHttpDesk, SECRET } from './http-desk.ts';
import { CHANNEL } from './support.ts';

let desk: HttpDesk;
beforeEach(async () => {
  desk = await openHttpDesk();
  await desk.app.start();
});
afterEach(() => desk[Symbol.asyncDispose]());

const decisions = (id: string) =>
  desk.services.db.sql.selectFrom('decision').selectAll().where('action_id', '=', id).execute();

/** Posts to the service as whoever has these bytes and headers. */
const post = (headers: Record<string, string>, body: string | Buffer) =>
  fetch(desk.url, { method: 'POST', headers, body: new Uint8Array(Buffer.from(body)) });

test('a signed click is committed and its card follows; its modal is answered in the ack', async () => {
  const { action, card } = await desk.givenCard();
  expect(await desk.slack.click(card, 'Approve', 'U0ANA').ack()).toMatchObject({ payload: {} });
  expect(visibleText(await desk.slack.nextUpdate(card))).toContain('Approved by Ana');
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved', decided_by: 'person' });
  await desk.slack.command('/portcullis', 'disable', 'U0CLEO', CHANNEL).ack();
  const chooser = await desk.slack.nextView('U0CLEO', (view) =>
    visibleText(view).includes('Emergency disable'),
  );
  await expect
    .poll(() => desk.slack.view(chooser.id)?.blocks.some(({ type }) => type === 'input'))
    .toBe(true);
  const filled = { scope: 'Agent desk', reason: 'fire' };
  expect((await desk.slack.submit(chooser.id, filled, 'U0CLEO')).outcome).toBe('update');
  await expect
    .poll(() => visibleText(desk.slack.view(chooser.id) ?? chooser))
    .toContain('Closed: agent desk');
  expect(desk.slack.failures).toEqual([]);
});

test('requests that Slack did not sign, or that are old or of the future, change nothing', async () => {
  const { action, card } = await desk.givenCard();
  const click = desk.slack.click(card, 'Deny', 'U0BEN');
  await click.ack();
  const { contentType, body } = encoded(click.type, {
    ...click.payload,
    user: { id: 'U0ANA', team_id: 'T0FAKE' },
  });
  const now = desk.services.clock.now().getTime();
  const right = signed(SECRET, contentType, body, now).headers;
  const forged = [
    signed('another-secret-of-slack', contentType, body, now).headers,
    signed(SECRET, contentType, body, now - 301_000).headers,
    signed(SECRET, contentType, body, now + 301_000).headers,
    { 'content-type': contentType },
  ];
  for (const headers of forged) expect((await post(headers, body)).status).toBe(401);
  expect((await post(right, `${body}x`)).status).toBe(401);
  expect((await post(right, Buffer.alloc(1_048_577, 120))).status).toBe(413);
  expect((await post(signed(SECRET, 'application/json', '{', now).headers, '{')).status).toBe(400);
  const repeated = new Headers(right);
  repeated.append('x-slack-signature', right['x-slack-signature'] ?? '');
  expect((await fetch(desk.url, { method: 'POST', headers: repeated, body })).status).toBe(401);
  expect(await decisions(action.id)).toMatchObject([{ person: 'ben' }]);
});

test('a click whose answer was lost counts once, is shown as failed, and is told so when pressed again', async () => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  desk.slack.loseAnswers();
  const click = desk.slack.click(card, 'Approve', 'U0ANA');
  await expect(click.ack()).rejects.toThrow('the person sees an error: http_timeout');
  expect(desk.slack.failures).toMatchObject([{ userId: 'U0ANA', type: 'interactive' }]);
  await desk.slack.redeliver(click).ack();
  expect((await desk.slack.nextEphemeral('U0ANA')).text).toContain('counted already');
  const now = desk.services.clock.now().getTime();
  const { contentType, body } = encoded(click.type, click.payload);
  const { headers } = signed(SECRET, contentType, body, now);
  const retry = { ...headers, 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' };
  const answers = await Promise.all([post(retry, body), post(retry, body), post(headers, body)]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(await decisions(action.id)).toHaveLength(1);
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
});

test('before the start url_verification is answered, a click fails visibly and an event waits for its retry', async () => {
  await using early = await openHttpDesk();
  const body = JSON.stringify({ type: 'url_verification', challenge: 'c-1' });
  const now = early.services.clock.now().getTime();
  const { headers } = signed(SECRET, 'application/json', body, now);
  const answer = await fetch(early.url, { method: 'POST', headers, body });
  expect([answer.status, await answer.text()]).toEqual([200, 'c-1']);
  const { action, card } = await early.givenCard();
  const click = early.slack.click(card, 'Approve', 'U0ANA');
  await expect(click.ack()).rejects.toThrow('the person sees an error: http_error');
  expect(await early.row(action.id)).toMatchObject({ state: 'pending', revision: 1 });
  const opened = early.slack.openHome('U0ANA');
  await expect(opened.ack(500)).rejects.toThrow('no answer');
  await early.app.start();
  await early.slack.redeliver(click).ack();
  await expect.poll(async () => (await early.row(action.id)).state).toBe('approved');
  expect(await early.slack.redeliver(opened).ack()).toMatchObject({ type: 'events_api' });
});
