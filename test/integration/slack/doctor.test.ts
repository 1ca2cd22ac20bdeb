import { expect, test } from 'vitest';
import { checkSlack } from '../../../src/cli/doctor/slack.ts';
import { startFakeSlack } from '../../fakes/slack/server.ts';

test('Slack by Socket Mode: both tokens and every scope are looked at, and nothing is opened', async () => {
  await using slack = await startFakeSlack();
  const { bot, app: appToken } = slack.tokens;
  expect(await checkSlack({ botToken: bot, appToken, apiUrl: slack.url })).toMatchObject([
    { name: 'Slack bot token', state: 'ok' },
    { name: 'Slack scopes', state: 'ok', detail: 'all of slack-manifest.yaml' },
    { name: 'Slack app token', state: 'ok' },
  ]);
  expect(slack.connections()).toEqual({ open: 0, ever: 0 });
});

test('Slack by HTTP: no app token is asked for; missing scopes are named with what does not work', async () => {
  await using poor = await startFakeSlack({ withoutScopes: ['im:write', 'channels:history'] });
  const common = { botToken: poor.tokens.bot, signingSecret: 'a-signing-secret', apiUrl: poor.url };
  const checks = await checkSlack(common);
  expect(checks).toMatchObject([
    { name: 'Slack bot token', state: 'ok' },
    {
      name: 'Slack scopes',
      state: 'warn',
      detail: expect.stringMatching(/without im:write .*; without channels:history a card .* twice/),
    },
    { name: 'Slack requests', state: 'ok' },
  ]);
  expect(poor.calls().map(({ method }) => method)).toEqual(['auth.test']);
  await using poorer = await startFakeSlack({ withoutScopes: ['chat:write'] });
  expect(await checkSlack({ ...common, apiUrl: poorer.url })).toMatchObject([{}, { state: 'fail' }, {}]);
});
