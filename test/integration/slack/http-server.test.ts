import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readConfig } from '../../../src/config.ts';
import { freePort } from '../../../src/embedded/supervised-process.ts';
import { type Portcullis, startPortcullis } from '../../../src/server.ts';
import { signed } from '../../fakes/slack/http-delivery.ts';
import { type FakeSlack, startFakeSlack } from '../../fakes/slack/server.ts';
import { testTemporal } from '../../support/context.ts';
import { createStore } from '../../support/services.ts';
import { SECRET } from './http-desk.ts';

let folder: string;
let slack: FakeSlack;
let service: Portcullis;
let url: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'portcullis-http-'));
  const port = await freePort();
  url = `http://127.0.0.1:${port}/slack/events`;
  slack = await startFakeSlack({
    users: [{ id: 'U0ANA' }],
    channels: [{ id: 'C0DESK', name: 'desk', members: ['U0ANA'] }],
    deliver: { url, signingSecret: SECRET },
  });
  const { address, namespace } = testTemporal();
  const env = {
    DATABASE_URL: await createStore(),
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    PORTCULLIS_DATA: folder,
    PORTCULLIS_PORT: String(port),
    PORTCULLIS_PUBLIC_URL: `http://127.0.0.1:${port}`,
    PORTCULLIS_LOG_LEVEL: 'silent',
    SLACK_BOT_TOKEN: slack.tokens.bot,
    SLACK_SIGNING_SECRET: SECRET,
    SLACK_API_URL: slack.url,
  };
  service = await startPortcullis(readConfig(env, ['api', 'slack']));
});
afterAll(async () => {
  await service?.stop();
  await slack.stop();
  await rm(folder, { recursive: true, force: true });
});

test('Slack is answered on the listener of the API, over its raw bytes', async () => {
  await slack.command('/portcullis', 'help', 'U0ANA', 'C0DESK').ack();
  expect((await slack.nextEphemeral('U0ANA')).text).toContain('/portcullis');
  const unsigned = await fetch(url, {
    method: 'POST',
    body: '{}',
    headers: { 'content-type': 'application/json' },
  });
  expect(unsigned.status).toBe(401);
  expect((await fetch(`${service.url}/v1/actions`)).headers.get('content-type')).toContain('problem+json');
});

test('a flood of forged requests does not shut Slack out', async () => {
  const body = JSON.stringify({ type: 'url_verification', challenge: 'c-1' });
  const forged = signed('another-secret-of-slack', 'application/json', body, Date.now());
  const right = signed(SECRET, 'application/json', body, Date.now());
  for (let i = 0; i < 15; i++) {
    const flood = Array.from({ length: 100 }, () => fetch(url, { method: 'POST', body, ...forged }));
    expect(new Set((await Promise.all(flood)).map(({ status }) => status))).toEqual(new Set([401]));
  }
  const answer = await fetch(url, { method: 'POST', body, ...right });
  expect([answer.status, await answer.text()]).toEqual([200, 'c-1']);
});
