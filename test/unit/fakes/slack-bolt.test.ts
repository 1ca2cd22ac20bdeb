import {
  App,
  type BlockAction,
  LogLevel,
  type SlackActionMiddlewareArgs,
  SocketModeReceiver,
} from '@slack/bolt';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import { visibleText } from '../../fakes/slack/visible.ts';

type Click = SlackActionMiddlewareArgs<BlockAction>;

const RECONNECT_AFTER_MS = 300;
const CARD = [
  {
    type: 'section' as const,
    text: { type: 'mrkdwn' as const, text: 'Refund *EUR 40* to <https://x.test/7|customer 7>?' },
  },
  {
    type: 'actions' as const,
    elements: [
      {
        type: 'button' as const,
        action_id: 'approve',
        value: 'a1',
        text: { type: 'plain_text' as const, text: 'Approve' },
      },
      {
        type: 'button' as const,
        action_id: 'deny',
        value: 'a1',
        text: { type: 'plain_text' as const, text: 'Deny' },
      },
    ],
  },
];
const REASON = {
  type: 'modal' as const,
  callback_id: 'deny-reason',
  title: { type: 'plain_text' as const, text: 'Deny' },
  submit: { type: 'plain_text' as const, text: 'Deny it' },
  blocks: [
    {
      type: 'input' as const,
      block_id: 'reason',
      label: { type: 'plain_text' as const, text: 'Reason' },
      element: { type: 'plain_text_input' as const, action_id: 'text', min_length: 3 },
    },
  ],
};

let clock = Date.now();
let slack: FakeSlack;
let app: App;

function boltApp(): App {
  const receiver = new SocketModeReceiver({
    appToken: slack.tokens.app,
    logLevel: LogLevel.ERROR,
    clientPingTimeout: RECONNECT_AFTER_MS,
    installerOptions: { clientOptions: { slackApiUrl: slack.url } },
  });
  return new App({
    token: slack.tokens.bot,
    receiver,
    logLevel: LogLevel.ERROR,
    clientOptions: {
      slackApiUrl: slack.url,
      retryConfig: { retries: 0 },
      rejectRateLimitedCalls: true,
      timeout: 2000,
    },
  });
}

beforeEach(async () => {
  clock = Date.now();
  slack = await startFakeSlack({
    users: [{ id: 'U1', name: 'ana' }, { id: 'U2' }],
    channels: [{ id: 'C1', name: 'approvals', members: ['U1', 'U2'] }],
    now: () => clock,
  });
  app = boltApp();
});
afterEach(async () => {
  await app.stop();
  await slack.stop();
});

async function postCard() {
  await app.client.chat.postMessage({ channel: '#approvals', text: 'Refund?', blocks: CARD });
  return slack.nextMessage('#approvals');
}

test('a click is acked, opens a modal, its submission updates the message', async () => {
  app.action<BlockAction>('deny', async ({ ack, body, client }) => {
    await ack();
    const private_metadata = JSON.stringify({ channel: body.channel?.id, ts: body.message?.ts });
    await client.views.open({ trigger_id: body.trigger_id, view: { ...REASON, private_metadata } });
  });
  app.view('deny-reason', async ({ ack, view, body, client }) => {
    const reason = view.state.values.reason?.text?.value ?? '';
    if (reason.startsWith('no')) return ack({ response_action: 'errors', errors: { reason: 'Say why.' } });
    await ack();
    const { channel, ts } = JSON.parse(view.private_metadata);
    await client.chat.update({ channel, ts, text: `Denied by <@${body.user.id}>: ${reason}` });
  });
  await app.start();

  const card = await postCard();
  expect(visibleText(card)).toBe('Refund *EUR 40* to customer 7?\nApprove\nDeny');
  const ack = await slack.click(card, 'Deny', 'U1').ack();
  expect(ack).toMatchObject({ type: 'interactive', payload: {} });
  const modal = await slack.nextView('U1');
  await expect(slack.submit(modal.id, {}, 'U1')).rejects.toThrow("'Reason' left empty");
  const refused = await slack.submit(modal.id, { Reason: 'no!' }, 'U1');
  expect(refused).toMatchObject({ outcome: 'errors', errors: { reason: 'Say why.' } });
  const accepted = await slack.submit(modal.id, { Reason: 'wrong customer' }, 'U1');
  expect(accepted.outcome).toBe('closed');
  const updated = await slack.nextUpdate(card);
  expect(visibleText(updated)).toBe('Denied by @U1: wrong customer');
  expect(() => slack.click(card, 'Deny', 'U1')).toThrow('nobody can click');
  expect(slack.view(modal.id)?.open).toBe(false);
});

test('a trigger id works once and for three seconds', async () => {
  const errors: string[] = [];
  app.action<BlockAction>('deny', async ({ ack, body, client }) => {
    await ack();
    const open = () => client.views.open({ trigger_id: body.trigger_id, view: REASON });
    const tell = (error: Error) => void errors.push(error.message);
    if (body.user.id === 'U2') clock += 3001;
    await open().catch(tell);
    await open().catch(tell);
  });
  await app.start();
  const card = await postCard();
  await slack.click(card, 'Deny', 'U1').ack();
  await expect.poll(() => errors).toEqual([expect.stringContaining('exchanged_trigger_id')]);
  await slack.click(card, 'Deny', 'U2').ack();
  await expect
    .poll(() => errors.slice(1))
    .toEqual([expect.stringContaining('expired_trigger_id'), expect.stringContaining('expired_trigger_id')]);
});

test('a response url takes five posts, then none; and none after thirty minutes', async () => {
  let respond: Click['respond'] = async () => new Response();
  app.action<BlockAction>('approve', async (args) => {
    await args.ack();
    respond = args.respond;
  });
  await app.start();
  const card = await postCard();
  await slack.click(card, 'approve', 'U1').ack();
  await respond('only you see this');
  expect(slack.ephemerals('U1').map(visibleText)).toEqual(['only you see this']);
  await expect(respond({ blocks: [{ type: 'divider' }, { type: 'hologram' }] })).rejects.toMatchObject({
    statusCode: 400,
  });
  await respond({ replace_original: true, text: 'Approved' });
  expect(visibleText(await slack.nextUpdate(card))).toBe('Approved');
  await respond({ text: 'all see this', response_type: 'in_channel' });
  await respond({ delete_original: true });
  expect(slack.messages('C1').map(visibleText)).toEqual(['all see this']);
  await expect(respond('sixth')).rejects.toMatchObject({ statusCode: 404 });

  await slack.click(await postCard().then(postCard), 'approve', 'U1').ack();
  clock += 30 * 60_000 + 1;
  await expect(respond('late')).rejects.toMatchObject({ statusCode: 404 });
});

test('reconnects after a disconnect message and after a cut; each payload goes to one connection', async () => {
  const clicks: string[] = [];
  const listen = (bolt: App, name: string) =>
    bolt.action<BlockAction>('approve', async ({ ack, body }) => {
      await ack();
      clicks.push(`${name} ${body.user.id}`);
    });
  listen(app, 'one');
  await app.start();
  const card = await postCard();
  slack.disconnect('refresh_requested');
  await slack.connected(1, 2);
  await slack.click(card, 'Approve', 'U1').ack();
  slack.drop();
  await slack.connected(1, 3);

  const other = boltApp();
  listen(other, 'two');
  await other.start();
  await slack.connected(2);
  const first = slack.click(card, 'Approve', 'U1');
  const second = slack.click(card, 'Approve', 'U2');
  const acks = [await first.ack(), await second.ack()];
  expect(new Set(acks.map((ack) => ack.connection)).size).toBe(2);
  await slack.redeliver(first).ack();
  expect(clicks.filter((click) => click.endsWith('U1'))).toHaveLength(3);
  expect(slack.acks.filter((ack) => ack.envelopeId === first.envelopeId)).toHaveLength(2);
  await other.stop();
});

test('slash commands answer in the ack, Home tabs are opened and clicked, without a connection nobody can click', async () => {
  app.command('/portcullis', async ({ ack, command }) =>
    ack(`${command.user_name} asked for ${command.text}`),
  );
  app.event('app_home_opened', async ({ event, client }) => {
    await client.views.publish({ user_id: event.user, view: { type: 'home', blocks: CARD } });
  });
  const pressed: unknown[] = [];
  app.action<BlockAction>('approve', async ({ ack, body, action }) => {
    await ack();
    pressed.push(body.view?.type, body.container.type, 'value' in action && action.value);
  });
  await app.start();
  await slack.command('/portcullis', 'status', 'U1', '#approvals').ack();
  expect(visibleText(await slack.nextEphemeral('U1'))).toBe('ana asked for status');
  await slack.openHome('U1').ack();
  await slack.click(await slack.nextView('U1'), 'Approve', 'U1').ack();
  await expect.poll(() => pressed).toEqual(['home', 'view', 'a1']);
  const card = await postCard();
  await app.stop();
  await expect.poll(() => slack.connections().open).toBe(0);
  expect(() => slack.click(card, 'Approve', 'U1')).toThrow('no Socket Mode connection');
  expect(() => slack.click(card, 'Delete', 'U1')).toThrow('nobody can click');
  expect(slack.problems).toEqual([]);
});
