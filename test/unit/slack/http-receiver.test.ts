import { App, type BlockAction } from '@slack/bolt';
import fc from 'fast-check';
import pino from 'pino';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../../src/clock.ts';
import { HttpReceiver, SLACK_BODY_BYTES_MAX } from '../../../src/slack/http-receiver.ts';
import { parseSlackBody, signatureProblem } from '../../../src/slack/http-request.ts';
import { encoded, signed } from '../../fakes/slack/http-delivery.ts';
import type { Json } from '../../fakes/slack/json.ts';

const SECRET = 'a-signing-secret-of-slack';
const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';
const MINUTE_MS = 60_000;

let clock: ManualClock;
let lines: Json[];
let receiver: HttpReceiver;
let app: App;

beforeEach(async () => {
  clock = new ManualClock();
  lines = [];
  const log = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  receiver = new HttpReceiver(SECRET, { clock, log });
  app = new App({ token: 'xoxb-test', botId: 'B0', botUserId: 'U0BOT', receiver });
  await app.start();
});
afterEach(() => {
  vi.useRealTimers();
});

type Change = { secret?: string; at?: number; headers?: Record<string, string | undefined>; body?: string };

/** Sends as Slack does, with one thing changed. */
function send(contentType: string, body: string, change: Change = {}) {
  const at = change.at ?? clock.now().getTime();
  const { headers } = signed(change.secret ?? SECRET, contentType, body, at);
  const rawBody = Buffer.from(change.body ?? body);
  return receiver.handle({ headers: { ...headers, ...change.headers }, rawBody });
}

const click = (value = 'a1'): Json => ({
  type: 'block_actions',
  user: { id: 'U1' },
  team: { id: 'T1' },
  actions: [{ type: 'button', action_id: 'approve', block_id: 'b', value }],
});
const sendClick = (change?: Change) => {
  const { contentType, body } = encoded('interactive', click());
  return send(contentType, body, change);
};

describe('what Slack did not sign', () => {
  const clicks: string[] = [];
  beforeEach(() => {
    clicks.length = 0;
    app.action<BlockAction>('approve', async ({ ack, body }) => {
      clicks.push(body.user.id);
      await ack();
    });
  });

  test('is refused: too old, in the future, another secret, headers missing, repeated or malformed', async () => {
    const now = clock.now().getTime();
    const { headers } = signed(SECRET, FORM_TYPE, 'x', now);
    const signature = headers['x-slack-signature'] ?? '';
    const changes: Change[] = [
      { at: now - 5 * MINUTE_MS - 1_000 },
      { at: now + 5 * MINUTE_MS + 1_000 },
      { secret: 'another-secret-of-slack' },
      { headers: { 'x-slack-signature': undefined } },
      { headers: { 'x-slack-request-timestamp': undefined } },
      { headers: { 'x-slack-signature': `${signature}, ${signature}` } },
      { headers: { 'x-slack-request-timestamp': `${Math.floor(now / 1000)}, ${Math.floor(now / 1000)}` } },
      { headers: { 'x-slack-request-timestamp': 'NaN' } },
      { headers: { 'x-slack-signature': signature.toUpperCase() } },
      { headers: { 'x-slack-signature': `v0=${'é'.repeat(64)}` } },
    ];
    for (const change of changes) expect(await sendClick(change)).toMatchObject({ status: 401 });
    expect(clicks).toEqual([]);
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(1);
    clock.advance(MINUTE_MS);
    await sendClick({ secret: 'another-secret-of-slack' });
    expect(lines.filter(({ level }) => level === 40)).toHaveLength(2);
  });

  test('is taken up to five minutes either way', async () => {
    const now = clock.now().getTime();
    for (const at of [now - 5 * MINUTE_MS, now, now + 5 * MINUTE_MS])
      expect(await sendClick({ at })).toMatchObject({ status: 200, body: '' });
    expect(clicks).toHaveLength(3);
  });

  test('a body changed by one byte, or bytes that read the same, is refused', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((each) => Buffer.from(each));
    fc.assert(
      fc.property(bytes, fc.nat(), fc.integer({ min: 1, max: 255 }), (rawBody, at, flip) => {
        const now = clock.now();
        const { headers } = signed(SECRET, FORM_TYPE, rawBody, now.getTime());
        expect(signatureProblem(SECRET, { headers, rawBody }, now)).toBeUndefined();
        const changed = Buffer.from(rawBody);
        const place = at % changed.length;
        changed[place] = (changed[place] ?? 0) ^ flip;
        expect(signatureProblem(SECRET, { headers, rawBody: changed }, now)).toContain('not of this body');
      }),
    );
    const body = Buffer.from('{"a":1}');
    const { headers } = signed(SECRET, JSON_TYPE, body, clock.now().getTime());
    for (const same of ['{"a": 1}', '{"a":1}\n', '\uFEFF{"a":1}'])
      expect(signatureProblem(SECRET, { headers, rawBody: Buffer.from(same) }, clock.now())).toBeDefined();
  });
});

describe('what Slack signed', () => {
  test('url_verification answers its challenge; ssl_check needs no signature', async () => {
    const body = JSON.stringify({ type: 'url_verification', challenge: 'c-1' });
    expect(await send(JSON_TYPE, body)).toMatchObject({ status: 200, body: 'c-1' });
    expect(await send(JSON_TYPE, body, { secret: 'another-secret-of-slack' })).toMatchObject({ status: 401 });
    const check = { headers: { 'content-type': FORM_TYPE }, rawBody: Buffer.from('ssl_check=1&token=x') };
    expect(await receiver.handle(check)).toMatchObject({ status: 200, body: '' });
  });

  test('a bad body is 400, a huge one 413', async () => {
    for (const [type, body] of [
      [JSON_TYPE, '{'],
      [JSON_TYPE, '[1]'],
      [JSON_TYPE, ''],
      [FORM_TYPE, 'payload=%7B'],
      [FORM_TYPE, ''],
      ['text/plain', 'hello'],
    ] as const)
      expect(await send(type, body)).toMatchObject({ status: 400 });
    const broken = { headers: { 'content-type': JSON_TYPE }, rawBody: Buffer.from([0x7b, 0xff, 0x7d]) };
    expect(parseSlackBody(broken)).toBeUndefined();
    const huge = 'x'.repeat(SLACK_BODY_BYTES_MAX + 1);
    expect(await send(JSON_TYPE, huge)).toMatchObject({ status: 413 });
  });

  test('the ack goes back: nothing, text, or what becomes of a modal', async () => {
    app.command('/portcullis', async ({ ack, command }) => ack(`you said ${command.text}`));
    app.view('deny', async ({ ack }) => ack({ response_action: 'errors', errors: { reason: 'Say why' } }));
    app.options('choose', async ({ ack }) => ack({ options: [] }));
    const command = { command: '/portcullis', text: 'a&b=c', user_id: 'U1', team_id: 'T1', channel_id: 'C1' };
    const typed = encoded('slash_commands', command);
    expect(await send(typed.contentType, typed.body)).toMatchObject({ status: 200, body: 'you said a&b=c' });
    const user = { user: { id: 'U1' }, team: { id: 'T1' } };
    const submitted = encoded('interactive', {
      ...user,
      type: 'view_submission',
      view: { callback_id: 'deny' },
    });
    const answer = await send(submitted.contentType, submitted.body);
    expect(answer.headers['content-type']).toContain('application/json');
    expect(JSON.parse(answer.body)).toEqual({ response_action: 'errors', errors: { reason: 'Say why' } });
    const asked = encoded('interactive', {
      ...user,
      type: 'block_suggestion',
      action_id: 'choose',
      value: '',
    });
    expect(JSON.parse((await send(asked.contentType, asked.body)).body)).toEqual({ options: [] });
  });

  test('what fails, what nobody takes and what comes before the start is a failure to Slack', async () => {
    app.error(async () => {});
    expect(await sendClick()).toMatchObject({ status: 500 });
    app.action('approve', async () => {
      throw new Error('broken');
    });
    expect(await sendClick()).toMatchObject({ status: 500, body: 'Not handled' });
    await app.stop();
    expect(await sendClick()).toMatchObject({ status: 503 });
    expect(await sendClick({ at: 0 })).toMatchObject({ status: 401 });
  });

  test('an ack that does not come within three seconds is a failure; a late one changes nothing', async () => {
    vi.useFakeTimers();
    let late: Promise<void> | undefined;
    let acknowledge = () => {};
    const waiting = new Promise<void>((resolve) => {
      acknowledge = resolve;
    });
    app.action('approve', async ({ ack }) => {
      late = waiting.then(() => ack());
      await late;
    });
    const answer = sendClick();
    await vi.advanceTimersByTimeAsync(2_999);
    expect(await Promise.race([answer, 'none yet'])).toBe('none yet');
    await vi.advanceTimersByTimeAsync(1);
    expect(await answer).toMatchObject({ status: 503 });
    acknowledge();
    await expect(late).resolves.toBeUndefined();
    expect(lines.some(({ msg }) => msg === 'a request of Slack was acknowledged too late')).toBe(true);
  });

  test('an ack counts once', async () => {
    const second: unknown[] = [];
    app.action('approve', async ({ ack }) => {
      await ack();
      await ack().catch((error: unknown) => second.push(error));
    });
    expect(await sendClick()).toMatchObject({ status: 200 });
    await expect.poll(() => second).toMatchObject([{ code: 'slack_bolt_receiver_ack_multiple_error' }]);
  });

  test('a retry of Slack is processed again, and told apart in the log', async () => {
    const seen: unknown[] = [];
    app.event('app_home_opened', async ({ event, context }) => {
      seen.push([event.user, context.retryNum, context.retryReason]);
    });
    const event = { type: 'app_home_opened', user: 'U1', channel: 'D1', tab: 'home', event_ts: '1' };
    const body = JSON.stringify({ type: 'event_callback', team_id: 'T1', event });
    const headers = { 'x-slack-retry-num': '1', 'x-slack-retry-reason': 'http_timeout' };
    expect(await send(JSON_TYPE, body)).toMatchObject({ status: 200, body: '' });
    expect(await send(JSON_TYPE, body, { headers })).toMatchObject({ status: 200 });
    await expect
      .poll(() => seen)
      .toEqual([
        ['U1', undefined, undefined],
        ['U1', 1, 'http_timeout'],
      ]);
    expect(lines).toContainEqual(
      expect.objectContaining({
        retryNum: 1,
        retryReason: 'http_timeout',
        msg: 'Slack sends a request again',
      }),
    );
  });
});
