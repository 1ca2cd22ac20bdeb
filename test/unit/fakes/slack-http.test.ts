import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';

const SECRET = 'a-signing-secret';

/** What the app was sent, and what it answers next: a status with a body, or nothing at all. */
let seen: { headers: IncomingHttpHeaders; body: string }[];
let answers: ({ status: number; body?: string } | 'nothing')[];
let app: Server;
let slack: FakeSlack;

beforeEach(async () => {
  seen = [];
  answers = [];
  app = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
    const answer = answers.shift() ?? { status: 200 };
    if (answer !== 'nothing') response.writeHead(answer.status).end(answer.body);
  });
  app.listen(0, '127.0.0.1');
  await once(app, 'listening');
  const url = `http://127.0.0.1:${(app.address() as AddressInfo).port}/slack/events`;
  slack = await startFakeSlack({
    users: [{ id: 'U1' }],
    channels: [{ id: 'C1', name: 'desk', members: ['U1'] }],
    deliver: { url, signingSecret: SECRET },
  });
});
afterEach(async () => {
  await slack.stop();
  app.closeAllConnections();
  app.close();
});

const retryOf = ({ headers }: { headers: IncomingHttpHeaders }) => [
  headers['x-slack-retry-num'],
  headers['x-slack-retry-reason'],
];

test('commands, clicks and events come in their forms, signed over the bytes', async () => {
  answers = [{ status: 200, body: 'hello' }];
  await slack.command('/portcullis', 'status desk', 'U1', 'C1').ack();
  expect((await slack.nextEphemeral('U1')).text).toBe('hello');
  await slack.openHome('U1').ack();
  const [command, event] = seen;
  expect(new URLSearchParams(command?.body).get('text')).toBe('status desk');
  expect(JSON.parse(event?.body ?? '')).toMatchObject({ type: 'event_callback', event: { user: 'U1' } });
  for (const { headers, body } of seen) {
    const signature = createHmac('sha256', SECRET)
      .update(`v0:${headers['x-slack-request-timestamp']}:${body}`)
      .digest('hex');
    expect(headers['x-slack-signature']).toBe(`v0=${signature}`);
  }
});

test('a failed event is sent again at once, then when the test says so', async () => {
  answers = [{ status: 500 }, { status: 503 }];
  const event = slack.openHome('U1');
  await expect(event.ack(200)).rejects.toThrow('no answer');
  expect(seen.map(retryOf)).toEqual([
    [undefined, undefined],
    ['1', 'http_error'],
  ]);
  await slack.redeliver(event).ack();
  expect(seen.slice(2).map(retryOf)).toEqual([['2', 'http_error']]);
  expect(new Set(seen.map(({ body }) => body)).size).toBe(1);
  expect(slack.failures).toEqual([]);
});

test('a failed click is not sent again: the person sees it, also when only the answer was lost', async () => {
  answers = [{ status: 503 }, { status: 200 }, 'nothing'];
  const command = () => slack.command('/portcullis', 'status', 'U1', 'C1');
  await expect(command().ack()).rejects.toThrow('the person sees an error: http_error');
  slack.loseAnswers();
  await expect(command().ack()).rejects.toThrow('the person sees an error: http_timeout');
  await expect(command().ack()).rejects.toThrow('the person sees an error: http_timeout');
  expect(seen).toHaveLength(3);
  expect(slack.failures.map(({ userId }) => userId)).toEqual(['U1', 'U1', 'U1']);
  expect(seen.flatMap(retryOf).filter(Boolean)).toEqual([]);
});
