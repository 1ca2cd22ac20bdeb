import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createSlackClient, createSlackPort, type SlackPort } from '../../../src/cards/posting/port.ts';
import { ManualClock } from '../../../src/clock.ts';
import { boltLog } from '../../../src/slack/bolt-log.ts';
import { type FakeSlack, type FakeSlackOptions, startFakeSlack } from '../../fakes/slack/server.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { openDesk } from './support.ts';

const REF = 'action-1';
const card = (text = 'Cancel order R-1?') => ({ text, blocks: [] });

let slack: FakeSlack;
let port: SlackPort;
let clock: ManualClock;

/** Another process: it knows nothing of what this one tried. */
const anotherPort = () =>
  createSlackPort(
    createSlackClient({ botToken: slack.tokens.bot, apiUrl: slack.url }, boltLog(pino({ level: 'silent' }))),
    clock,
  );

async function restart(options: FakeSlackOptions = {}): Promise<void> {
  await slack?.stop();
  clock = new ManualClock();
  slack = await startFakeSlack({
    users: [{ id: 'U1' }, { id: 'U2', deactivated: true }],
    channels: [
      { id: 'C1', name: 'desk', members: ['U1'] },
      { id: 'C2', name: 'other', members: ['U1'] },
    ],
    usergroups: [
      { id: 'S1', users: ['U1', 'U2'] },
      { id: 'S2', users: ['U1'], disabled: true },
    ],
    now: () => clock.now().getTime(),
    ...options,
  });
  port = anotherPort();
}

beforeEach(() => restart());
afterEach(() => slack.stop());

const failure = (code: string, retryAfterMs?: number) => ({ name: 'SlackFailure', code, retryAfterMs });

describe('a post whose answer was lost', () => {
  test('is found by its ref and not posted twice; the copy shows the newest version', async () => {
    slack.fail('chat.postMessage', { kind: 'hang-after' });
    const options = { ref: REF, version: 1 };
    await expect(port.post('C1', card(), undefined, options)).rejects.toMatchObject(failure('not_reached'));
    const [lost] = slack.messages('C1');
    expect(lost?.metadata).toEqual({
      event_type: 'portcullis_card',
      event_payload: { ref: REF, version: 1 },
    });
    const found = await port.post('C1', card('Approved by Ana'), undefined, { ref: REF, version: 2 });
    expect(found).toEqual({ channel: 'C1', ts: lost?.ts });
    expect(slack.messages('C1').map(visibleText)).toEqual(['Approved by Ana']);
    await port.post('C1', card('Another round'), undefined, { ref: REF, version: 3 });
    expect(slack.messages('C1')).toHaveLength(2);
    expect(slack.calls('conversations.history')).toHaveLength(1);
  });

  test('is found by another process that was told it may be there, in a thread and in a direct message too', async () => {
    const parent = await port.post('C1', card('parent'));
    const dm = await port.dm('U1');
    for (const [channel, under] of [['C1'], ['C1', parent], [dm]] as const) {
      const options = { ref: `${REF}/${channel}/${under ? 'thread' : ''}`, version: 1 };
      slack.fail('chat.postMessage', { kind: 'hang-after' });
      await port.post(channel, card(), under, options).catch(() => undefined);
      const posted = slack.calls('chat.postMessage').length;
      const found = await anotherPort().post(channel, card(), under, { ...options, maybePosted: true });
      expect(slack.message(channel, found.ts)?.metadata).toMatchObject({
        event_payload: { ref: options.ref },
      });
      expect(slack.calls('chat.postMessage')).toHaveLength(posted);
    }
  });

  test('is posted when it never arrived, was deleted, or only another app wrote such metadata', async () => {
    slack.fail('chat.postMessage', { kind: 'hang' });
    await expect(port.post('C1', card(), undefined, { ref: REF })).rejects.toMatchObject(
      failure('not_reached'),
    );
    const metadata = { event_type: 'portcullis_card', event_payload: { ref: REF, version: 0 } };
    const forged = { text: 'not ours', blocks: [], metadata, via: 'app', channel: 'C1', threadTs: undefined };
    const { ts } = slack.world.post({ ...forged, user: 'U0OTHERBOT', botId: 'B0OTHER' });
    const first = await port.post('C1', card(), undefined, { ref: REF });
    expect(first.ts).not.toBe(ts);
    slack.world.remove(slack.world.message('C1', first.ts) ?? expect.fail(), 'chat.delete');
    const second = await port.post('C1', card(), undefined, { ref: REF, maybePosted: true });
    expect([first.ts, ts]).not.toContain(second.ts);
  });

  test('is posted again without the scope to look; an unanswered look is asked again, never taken for a no', async () => {
    await restart({ withoutScopes: ['channels:history'] });
    slack.fail('chat.postMessage', { kind: 'hang-after' });
    await expect(port.post('C1', card(), undefined, { ref: REF })).rejects.toMatchObject(
      failure('not_reached'),
    );
    await port.post('C1', card(), undefined, { ref: REF });
    expect(slack.messages('C1')).toHaveLength(2);
    await restart();
    slack.fail('chat.postMessage', { kind: 'hang-after' });
    await expect(port.post('C1', card(), undefined, { ref: REF })).rejects.toMatchObject(
      failure('not_reached'),
    );
    slack.fail('conversations.history', { kind: 'http', status: 503 });
    await expect(port.post('C1', card(), undefined, { ref: REF })).rejects.toMatchObject(
      failure('not_reached'),
    );
    await port.post('C1', card(), undefined, { ref: REF });
    expect(slack.messages('C1')).toHaveLength(1);
  });

  test('is found in a channel that is named by #name once its id is known', async () => {
    await port.post('#desk', card('an earlier one'), undefined, { ref: 'other' });
    slack.fail('chat.postMessage', { kind: 'hang-after' });
    await expect(port.post('#desk', card(), undefined, { ref: REF })).rejects.toMatchObject(
      failure('not_reached'),
    );
    expect(await port.post('#desk', card(), undefined, { ref: REF })).toMatchObject({ channel: 'C1' });
    expect(slack.messages('C1')).toHaveLength(2);
  });

  test('is looked for after errors of which Slack itself does not know what they left behind', async () => {
    for (const fault of [
      { kind: 'http', status: 502 },
      { kind: 'error', error: 'internal_error' },
    ] as const) {
      slack.fail('chat.postMessage', fault);
      await expect(port.post('C1', card(), undefined, { ref: REF })).rejects.toThrow();
      await port.post('C1', card(), undefined, { ref: REF });
    }
    expect(slack.calls('conversations.history')).toHaveLength(2);
    slack.fail('chat.postMessage', { kind: 'error', error: 'not_in_channel' });
    await expect(port.post('C1', card(), undefined, { ref: 'other' })).rejects.toThrow();
    await port.post('C1', card(), undefined, { ref: 'other' });
    expect(slack.calls('conversations.history')).toHaveLength(2);
  });

  test('is found among many', async () => {
    slack.fail('chat.postMessage', { kind: 'hang-after' });
    await expect(port.post('C1', card(), undefined, { ref: REF })).rejects.toMatchObject(
      failure('not_reached'),
    );
    for (let i = 0; i < 450; i++) {
      const noise = { text: `${i}`, blocks: [], via: 'person', channel: 'C1', user: 'U1' };
      slack.world.post({ ...noise, botId: undefined, threadTs: undefined });
    }
    await port.post('C1', card(), undefined, { ref: REF });
    expect(slack.calls('chat.postMessage')).toHaveLength(1);
    expect(slack.calls('conversations.history')).toHaveLength(3);
  });
});

describe('Retry-After', () => {
  test('is kept without asking Slack again: of a channel for posts, of the method for the rest', async () => {
    const copy = await port.post('C1', card());
    slack.fail('chat.postMessage', { kind: 'rate-limited', retryAfter: 1 });
    await expect(port.post('C1', card())).rejects.toMatchObject(failure('rate_limited', 1_000));
    const calls = slack.calls('chat.postMessage').length;
    clock.advance(400);
    await expect(port.post('C1', card())).rejects.toMatchObject(failure('rate_limited', 600));
    expect(slack.calls('chat.postMessage')).toHaveLength(calls);
    await port.post('C2', card());
    clock.advance(600);
    await port.post('C1', card());
    slack.fail('chat.update', { kind: 'rate-limited', retryAfter: 30 });
    await expect(port.update(copy, card())).rejects.toMatchObject(failure('rate_limited', 30_000));
    await expect(port.update(copy, card())).rejects.toMatchObject({ code: 'rate_limited' });
    expect(slack.calls('chat.update')).toHaveLength(1);
  });

  test('a burst of posts: what Slack took is there once, the rest fails with what is left to wait', async () => {
    await restart({ rateLimit: { burst: 1 } });
    const posts = Array.from({ length: 50 }, (_, i) =>
      port.post('C1', card(`${i}`), undefined, { ref: `${i}` }),
    );
    const settled = await Promise.allSettled(posts);
    const taken = settled.filter(({ status }) => status === 'fulfilled').length;
    expect(slack.messages('C1')).toHaveLength(taken);
    for (const each of settled) {
      if (each.status === 'rejected') expect(each.reason).toMatchObject({ code: 'rate_limited' });
    }
  });
});

describe('what Slack refuses', () => {
  test('a post into an archived channel, or one the bot was removed from, fails with its code', async () => {
    const copy = await port.post('C1', card());
    slack.world.channels.get('C1')?.members.delete(slack.world.workspace.botUserId);
    await expect(port.post('C1', card())).rejects.toMatchObject(failure('not_in_channel'));
    const found = port.post('C1', card(), undefined, { ref: REF, maybePosted: true });
    await expect(found).rejects.toMatchObject(failure('not_in_channel'));
    const channel = slack.world.channels.get('C2') ?? expect.fail();
    const inOther = await port.post('C2', card());
    channel.archived = true;
    await expect(port.post('C2', card())).rejects.toMatchObject(failure('is_archived'));
    expect(await port.update(inOther, card())).toBe(false);
    slack.world.remove(slack.world.message('C1', copy.ts) ?? expect.fail(), 'person');
    expect(await port.update(copy, card())).toBe(false);
  });

  test('user groups: members, or the code that says why not', async () => {
    expect(await port.usersOfGroup('S1')).toEqual(['U1', 'U2']);
    await expect(port.usersOfGroup('S9')).rejects.toMatchObject(failure('no_such_subteam'));
    await expect(port.usersOfGroup('S2')).rejects.toMatchObject({ name: 'SlackFailure' });
    slack.fail('usergroups.users.list', { kind: 'error', error: 'plan_upgrade_required' });
    await expect(port.usersOfGroup('S1')).rejects.toMatchObject(failure('plan_upgrade_required'));
    await restart({ withoutScopes: ['usergroups:read'] });
    await expect(port.usersOfGroup('S1')).rejects.toMatchObject(failure('missing_scope'));
  });

  test('a direct conversation is opened once; a deactivated person has none', async () => {
    expect(await port.dm('U1')).toMatch(/^D/);
    expect(await port.dm('U1')).toMatch(/^D/);
    expect(slack.calls('conversations.open')).toHaveLength(1);
    await expect(port.dm('U2')).rejects.toMatchObject(failure('user_disabled'));
  });

  test('userIsActive() tells active from gone, and says nothing when Slack does not answer', async () => {
    expect(await port.userIsActive('U1')).toBe(true);
    expect(await port.userIsActive('U2')).toBe(false);
    expect(await port.userIsActive('U9')).toBe(false);
    slack.fail('users.info', { kind: 'http', status: 500 });
    expect(await anotherPort().userIsActive('U1')).toBeUndefined();
  });

  test('publishHome() shows a Home tab, and fails with the code of what is wrong', async () => {
    await port.publishHome('U1', { type: 'home', blocks: [{ type: 'divider' }] });
    expect((await slack.nextView('U1')).type).toBe('home');
    await expect(port.publishHome('U9', { type: 'home', blocks: [] })).rejects.toMatchObject(
      failure('user_not_found'),
    );
  });
});

test('a click of a user who was deactivated meanwhile is refused', async () => {
  await using desk = await openDesk();
  const { action, card: posted } = await desk.givenCard();
  const click = desk.slack.click(posted, 'Approve', 'U0ANA');
  desk.slack.world.addUser({ id: 'U0ANA', deactivated: true });
  await click.ack();
  expect((await desk.slack.nextEphemeral('U0ANA')).text).toContain('deactivated');
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
});
