import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAlertActivities } from '../../../activities/alerts.ts';
import { webhookHeaders } from '../../../activities/webhook.ts';
import { raiseAlert } from '../../../src/records/alert.ts';
import { disable } from '../../../src/switches/disable.ts';
import { listDisabled } from '../../../src/switches/list.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { onCallActor } from '../../support/fixtures.ts';
import { ALERTS, type Desk, openDesk, SLACK_AGENT_YAML } from './support.ts';

const SECRET = 'whsec_c2VjcmV0';

let desk: Desk;
let hook: Awaited<ReturnType<typeof openHook>>;
beforeEach(async () => {
  hook = await openHook();
  desk = await openDesk({ agentYaml: `${SLACK_AGENT_YAML}webhook: { url: "${hook.url}" }\n` });
});
afterEach(async () => {
  await desk[Symbol.asyncDispose]();
  hook.close();
});

async function openHook() {
  const calls: { headers: IncomingHttpHeaders; body: string }[] = [];
  const statuses: number[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    calls.push({ headers: request.headers, body });
    response.writeHead(statuses.shift() ?? 204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  return { url, calls, statuses, close: () => server.close() };
}

const activities = () =>
  createAlertActivities({ services: desk.services, slack: desk.app.port, webhookSecret: SECRET });
const unknown = (facts: Record<string, unknown> = { summary: 'Cancel order R-1' }) =>
  raiseAlert(desk.services.db.sql, 'action.unknown', 'desk', desk.services.clock.now(), facts);

test('an alert reaches the alert channel and the webhook once each, however often it is tried', async () => {
  const id = await unknown();
  hook.statuses.push(503);
  await expect(activities().deliverAlert(id)).rejects.toThrow('status 503');
  expect(await activities().deliverAlert(id)).toEqual({
    slack: 'posted',
    webhook: 'sent',
    pager: 'no routing key',
  });
  await activities().deliverAlert(id);
  expect(desk.slack.messages(ALERTS)).toHaveLength(1);
  expect(hook.calls).toHaveLength(2);
  const { headers, body } = hook.calls[1] ?? { headers: {}, body: '' };
  const expected = webhookHeaders(SECRET, id, desk.services.clock.now(), body);
  expect(headers).toMatchObject({ 'webhook-id': id, 'webhook-signature': expected['webhook-signature'] });
  expect(JSON.parse(body)).toMatchObject({
    type: 'action.unknown',
    data: { agent: 'desk', summary: 'Cancel order R-1' },
  });
});

test('a Slack that does not answer does not keep the webhook from being sent', async () => {
  const id = await unknown();
  desk.slack.fail('chat.postMessage', { kind: 'rate-limited', retryAfter: 1 });
  await expect(activities().deliverAlert(id)).rejects.toMatchObject({
    type: 'slack.rate_limited',
    nextRetryDelay: 1_000,
  });
  expect(hook.calls).toHaveLength(1);
  desk.services.clock.advance(1_000);
  expect(await activities().deliverAlert(id)).toEqual({
    slack: 'posted',
    webhook: 'sent',
    pager: 'no routing key',
  });
  expect(hook.calls).toHaveLength(1);
});

test('an alert whose channel is gone reaches on-call in person, once', async () => {
  const id = await unknown();
  for (let times = 0; times < 2; times++) {
    desk.slack.fail('chat.postMessage', { kind: 'error', error: 'is_archived' });
    expect(await activities().deliverAlert(id)).toMatchObject({ slack: 'told directly' });
    desk.slack.clearFaults();
  }
  expect(desk.slack.messages(ALERTS)).toHaveLength(0);
  const cards = desk.slack.calls('chat.postMessage').filter(({ ok }) => ok);
  expect(cards).toHaveLength(1);
});

test('without tokens and without a secret it says so', async () => {
  const { deliverAlert } = createAlertActivities({ services: desk.services });
  expect(await deliverAlert(await unknown())).toEqual({
    slack: 'no Slack tokens',
    webhook: 'no secret',
    pager: 'no routing key',
  });
});

test('a switch over everything tells every agent’s channel', async () => {
  await disable(desk.services, onCallActor(), { scope: 'everything', reason: 'fire' });
  const alert = await desk.services.db.sql.selectFrom('alert').selectAll().executeTakeFirstOrThrow();
  await activities().deliverAlert(alert.id);
  expect(visibleText(await desk.slack.nextMessage(ALERTS))).toContain('Disabled: everything by cleo: fire');
});

test('Disable agent stops it at once and everybody at the alert sees who did; Why says what is known', async () => {
  await activities().deliverAlert(await unknown());
  const card = await desk.slack.nextMessage(ALERTS);
  await desk.slack.click(card, 'Why', 'U0ANA').ack();
  await desk.slack.nextView('U0ANA', (view) => visibleText(view).includes('Nobody knows how it ended'));
  await desk.slack.click(card, 'Disable agent', 'U0MIA').ack();
  expect((await desk.slack.nextEphemeral('U0MIA')).text).toContain('not a person');
  expect(await listDisabled(desk.services.db.sql)).toEqual([]);
  await desk.slack.click(card, 'Disable agent', 'U0CLEO').ack();
  const told = await desk.slack.nextMessage(ALERTS, ({ threadTs }) => threadTs === card.ts);
  expect(visibleText(told)).toMatch(/Closed: agent desk[\s\S]*By cleo\./);
  expect(await listDisabled(desk.services.db.sql)).toMatchObject([{ scope: 'agent/desk', actor: 'cleo' }]);
});
