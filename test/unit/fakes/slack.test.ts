import { WebClient } from '@slack/web-api';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Json } from '../../fakes/slack/json.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import { visibleText } from '../../fakes/slack/visible.ts';

const USERS = [
  { id: 'U1', name: 'ana', email: 'ana@example.com' },
  { id: 'U2', name: 'bo', deactivated: true, email: 'bo@example.com' },
];
const CHANNELS = [
  { id: 'C1', name: 'approvals', members: ['U1'] },
  { id: 'C2', name: 'old', archived: true },
  { id: 'C3', name: 'others', botIsMember: false },
  { id: 'C4', name: 'secret', isPrivate: true, botIsMember: false },
];
const SOCKET_LESS = { retryConfig: { retries: 0 }, rejectRateLimitedCalls: true, timeout: 300 } as const;

let clock: number;
let slack: FakeSlack;
let client: WebClient;

async function restart(options: Parameters<typeof startFakeSlack>[0] = {}): Promise<void> {
  await slack?.stop();
  const usergroups = [{ id: 'S1', users: ['U1'] }];
  slack = await startFakeSlack({
    users: USERS,
    channels: CHANNELS,
    usergroups,
    now: () => clock,
    ...options,
  });
  client = new WebClient(slack.tokens.bot, { slackApiUrl: slack.url, ...SOCKET_LESS });
}

/** Calls a method past the client's argument types: what it sends is what is tested. */
async function refused(method: string, args: Json): Promise<{ error: string; messages: string[] }> {
  const response = await fetch(slack.url + method, {
    method: 'POST',
    headers: { authorization: `Bearer ${slack.tokens.bot}`, 'content-type': 'application/json' },
    body: JSON.stringify(args),
  });
  const body = (await response.json()) as { error?: string; response_metadata?: { messages?: string[] } };
  return { error: body.error ?? 'none', messages: body.response_metadata?.messages ?? [] };
}

const text = (length: number) => 'x'.repeat(length);
const BAD_METADATA = 'invalid_metadata_format';
const HOME = { type: 'home', blocks: [] };
const withMetadata = (metadata: Json): Json => ({ channel: 'C1', text: 't', metadata });

beforeEach(async () => {
  clock = Date.now();
  await restart();
});
afterEach(() => slack.stop());

describe('posting and updating', () => {
  const BAD: [string, string, Json, string][] = [
    ['neither text nor blocks', 'chat.postMessage', { channel: 'C1' }, 'no_text'],
    ['a text of 40,001', 'chat.postMessage', { channel: 'C1', text: text(40_001) }, 'msg_too_long'],
    ['an unknown channel', 'chat.postMessage', { channel: 'C9', text: 't' }, 'channel_not_found'],
    ['a private channel it is not in', 'chat.postMessage', { channel: 'C4', text: 't' }, 'channel_not_found'],
    ['a channel it is not in', 'chat.postMessage', { channel: '#others', text: 't' }, 'not_in_channel'],
    ['an archived channel', 'chat.postMessage', { channel: '#old', text: 't' }, 'is_archived'],
    ['a deactivated user', 'chat.postMessage', { channel: 'U2', text: 't' }, 'channel_not_found'],
    ['blocks that are no JSON', 'chat.postMessage', { channel: 'C1', blocks: '[' }, 'invalid_blocks_format'],
    [
      'a message that is not there',
      'chat.update',
      { channel: 'C1', ts: '1.2', text: 't' },
      'message_not_found',
    ],
    [
      'an update by channel name',
      'chat.update',
      { channel: '#approvals', ts: '1.2', text: 't' },
      'channel_not_found',
    ],
    [
      'an ephemeral to an outsider',
      'chat.postEphemeral',
      { channel: 'C1', user: 'U2', text: 't' },
      'user_not_in_channel',
    ],
    ['an unknown user', 'users.info', { user: 'U9' }, 'user_not_found'],
    [
      'the email of a deactivated user',
      'users.lookupByEmail',
      { email: 'bo@example.com' },
      'users_not_found',
    ],
    ['a conversation with a deactivated user', 'conversations.open', { users: 'U2' }, 'user_disabled'],
    ['an unknown group', 'usergroups.users.list', { usergroup: 'S9' }, 'no_such_subteam'],
    ['an unknown method', 'chat.sendTelegram', {}, 'unknown_method'],
    ['metadata without a type', 'chat.postMessage', withMetadata({ event_payload: {} }), BAD_METADATA],
    ['metadata without a payload', 'chat.postMessage', withMetadata({ event_type: 'card' }), BAD_METADATA],
    [
      'metadata with a sentence for a type',
      'chat.postMessage',
      withMetadata({ event_type: 'a card', event_payload: {} }),
      BAD_METADATA,
    ],
    [
      'metadata too deep',
      'chat.postMessage',
      withMetadata({ event_type: 'card', event_payload: { a: { b: {} } } }),
      BAD_METADATA,
    ],
    ['the history of a channel it is not in', 'conversations.history', { channel: 'C3' }, 'not_in_channel'],
    ['the history of an unknown channel', 'conversations.history', { channel: '#old' }, 'channel_not_found'],
    ['an unknown thread', 'conversations.replies', { channel: 'C1', ts: '1.2' }, 'thread_not_found'],
    ['the Home tab of nobody', 'views.publish', { user_id: 'U9', view: HOME }, 'user_not_found'],
  ];
  test.each(BAD)('refuses %s', async (_, method, args, error) => {
    expect(await refused(method, args)).toMatchObject({ error });
  });

  test('tells a missing token from a wrong one and from one of the wrong kind', async () => {
    const error = async (token: string) => {
      const failed = new WebClient(token, { slackApiUrl: slack.url, ...SOCKET_LESS }).auth.test();
      return failed.then(
        () => 'none',
        (thrown: Error) => thrown.message.split(': ')[1],
      );
    };
    expect(await error('')).toBe('not_authed');
    expect(await error('xoxb-other')).toBe('invalid_auth');
    expect(await error(slack.tokens.app)).toBe('not_allowed_token_type');
    expect(await error(slack.tokens.bot)).toBe('none');
  });

  test('an update with text alone removes the blocks and marks the message as edited', async () => {
    const blocks = [
      { type: 'header' as const, text: { type: 'plain_text' as const, text: 'Refund &amp; close' } },
    ];
    const { ts = '' } = await client.chat.postMessage({ channel: '#approvals', text: 'fallback', blocks });
    const posted = await slack.nextMessage('C1');
    expect(visibleText(posted)).toBe('Refund & close');
    await client.chat.update({ channel: 'C1', ts, text: 'still blocks', blocks });
    expect(slack.message('C1', ts)).toMatchObject({ edited: false });
    await client.chat.update({ channel: 'C1', ts, text: 'denied' });
    const updated = await slack.nextUpdate(posted);
    expect(updated).toMatchObject({ text: 'denied', blocks: [], edited: true });
    expect(updated.revisions.map((each) => each.text)).toEqual(['fallback', 'still blocks', 'denied']);
    const long = await refused('chat.update', { channel: 'C1', ts, text: text(4001) });
    expect(long.error).toBe('msg_too_long');
  });

  test('updates and deletes only its own messages', async () => {
    const of = { text: 'hello', blocks: [], via: 'person' };
    const { ts } = slack.world.post({
      ...of,
      channel: 'C1',
      user: 'U1',
      botId: undefined,
      threadTs: undefined,
    });
    expect(await refused('chat.update', { channel: 'C1', ts, text: 't' })).toMatchObject({
      error: 'cant_update_message',
    });
    expect(await refused('chat.delete', { channel: 'C1', ts })).toMatchObject({
      error: 'cant_delete_message',
    });
  });

  test('posts to a person by id, reads members, groups and presence', async () => {
    const sent = await client.chat.postMessage({ channel: 'U1', text: 'hi' });
    expect(sent.channel).toBe((await client.conversations.open({ users: 'U1' })).channel?.id);
    expect((await client.conversations.members({ channel: 'C1' })).members).toEqual(['U1', 'U0BOT']);
    expect((await client.usergroups.users.list({ usergroup: 'S1' })).users).toEqual(['U1']);
    expect((await client.users.getPresence({ user: 'U1' })).presence).toBe('active');
    expect((await client.users.lookupByEmail({ email: 'ANA@example.com' })).user?.id).toBe('U1');
    const link = await client.chat.getPermalink({
      channel: String(sent.channel),
      message_ts: String(sent.ts),
    });
    expect(link.permalink).toContain(String(sent.ts).replace('.', ''));
  });
});

describe('histories', () => {
  test('are read newest first, in pages, with metadata only when asked for, threads apart', async () => {
    const metadata = { event_type: 'card', event_payload: { ref: 'a1', version: 1 } };
    const parent = await client.chat.postMessage({ channel: 'C1', text: 'card', metadata });
    const thread_ts = parent.ts;
    await client.chat.postMessage({ channel: 'C1', text: 'reply', thread_ts, metadata });
    await client.chat.postMessage({ channel: 'C1', text: 'newest' });
    const page = await client.conversations.history({ channel: 'C1', limit: 1 });
    expect(page).toMatchObject({ messages: [{ text: 'newest' }], has_more: true });
    const cursor = page.response_metadata?.next_cursor;
    const rest = await client.conversations.history({ channel: 'C1', cursor });
    expect(rest.messages?.map((each) => [each.text, each.metadata])).toEqual([['card', undefined]]);
    const all = { channel: 'C1', include_all_metadata: true };
    expect((await client.conversations.history(all)).messages).toMatchObject([
      { text: 'newest' },
      { metadata },
    ]);
    const replies = await client.conversations.replies({ ...all, ts: thread_ts ?? '' });
    expect(replies.messages?.map((each) => each.text)).toEqual(['reply', 'card']);
    const later = await client.conversations.history({ channel: 'C1', oldest: thread_ts });
    expect(later.messages?.map((each) => each.text)).toEqual(['newest']);
  });

  test('and everything else need their scope', async () => {
    await restart({ withoutScopes: ['channels:history', 'im:write'] });
    expect(await refused('conversations.history', { channel: 'C1' })).toMatchObject({
      error: 'missing_scope',
    });
    expect(await refused('conversations.open', { users: 'U1' })).toMatchObject({ error: 'missing_scope' });
    expect(await refused('users.info', { user: 'U1' })).toMatchObject({ error: 'none' });
    expect((await client.auth.test()).response_metadata?.scopes).not.toContain('im:write');
  });
});

describe('when Slack is unwell', () => {
  test('fails as planned, then works again', async () => {
    const post = () => client.chat.postMessage({ channel: 'C1', text: 't' });
    slack.fail('chat.postMessage', { kind: 'http', status: 500 });
    await expect(post()).rejects.toMatchObject({ code: 'slack_webapi_http_error', statusCode: 500 });
    slack.fail('chat.postMessage', { kind: 'rate-limited', retryAfter: 7 });
    await expect(post()).rejects.toMatchObject({ code: 'slack_webapi_rate_limited_error', retryAfter: 7 });
    slack.fail('chat.postMessage', { kind: 'error', error: 'plan_upgrade_required' });
    await expect(post()).rejects.toMatchObject({ data: { error: 'plan_upgrade_required' } });
    slack.fail('*', { kind: 'hang' });
    await expect(post()).rejects.toMatchObject({ code: 'slack_webapi_request_error' });
    expect(slack.messages('C1')).toEqual([]);
    slack.fail('chat.postMessage', { kind: 'hang-after' });
    await expect(post()).rejects.toMatchObject({ code: 'slack_webapi_request_error' });
    expect(slack.messages('C1')).toHaveLength(1);
    await post();
    expect(slack.calls('chat.postMessage').map((call) => call.status)).toEqual([500, 429, 200, 0, 0, 200]);
  });

  test('limits posts to one a second for each channel, after a burst', async () => {
    await restart({ rateLimit: { burst: 2 } });
    const post = (channel: string) => client.chat.postMessage({ channel, text: 't' });
    await post('C1');
    await post('C1');
    await expect(post('C1')).rejects.toMatchObject({ retryAfter: 1 });
    await post('U1');
    clock += 1000;
    await post('C1');
  });

  test('limits updates of all messages together', async () => {
    await restart({ rateLimit: { burst: 5, updatesPerMinute: 2 } });
    const { ts = '' } = await client.chat.postMessage({ channel: 'C1', text: 't' });
    const update = () => client.chat.update({ channel: 'C1', ts, text: 't' });
    await update();
    await update();
    await expect(update()).rejects.toMatchObject({ retryAfter: 30 });
    clock += 30_000;
    await update();
  });

  test('keeps a message as it was once its channel is archived', async () => {
    const { ts = '' } = await client.chat.postMessage({ channel: 'C1', text: 't' });
    (slack.world.channels.get('C1') ?? expect.fail()).archived = true;
    expect(await refused('chat.update', { channel: 'C1', ts, text: 't' })).toMatchObject({
      error: 'is_inactive',
    });
  });
});
