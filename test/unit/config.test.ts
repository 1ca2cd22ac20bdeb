import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';

const BOT = 'xoxb-1';
const APP = 'xapp-1';
const SECRET = 'a-signing-secret';

function problemsOf(env: NodeJS.ProcessEnv): string {
  try {
    readConfig(env);
  } catch (error) {
    expect(error).toMatchObject({ code: 'config_invalid' });
    return String(error);
  }
  return 'none';
}

test('Slack is reached by Socket Mode or by HTTP, and is left out when nothing is set', () => {
  expect(readConfig({}).slack).toBeUndefined();
  expect(
    readConfig({ SLACK_BOT_TOKEN: '', SLACK_APP_TOKEN: '', SLACK_SIGNING_SECRET: '' }).slack,
  ).toBeUndefined();
  const socket = readConfig({ SLACK_BOT_TOKEN: BOT, SLACK_APP_TOKEN: APP, SLACK_SIGNING_SECRET: '' }).slack;
  expect(socket).toEqual({ botToken: BOT, appToken: APP, apiUrl: undefined });
  const http = readConfig({ SLACK_BOT_TOKEN: BOT, SLACK_SIGNING_SECRET: SECRET }).slack;
  expect(http).toEqual({ botToken: BOT, signingSecret: SECRET, apiUrl: undefined });
});

test('both ways, none and a missing bot token are refused by name, beside everything else that is wrong', () => {
  expect(problemsOf({ SLACK_BOT_TOKEN: BOT })).toMatch(
    /SLACK_BOT_TOKEN: .*SLACK_APP_TOKEN .* or SLACK_SIGNING_SECRET/,
  );
  const both = { SLACK_BOT_TOKEN: BOT, SLACK_APP_TOKEN: APP, SLACK_SIGNING_SECRET: SECRET };
  expect(problemsOf(both)).toContain('SLACK_SIGNING_SECRET: is set beside SLACK_APP_TOKEN');
  expect(problemsOf({ SLACK_APP_TOKEN: APP })).toContain(
    'SLACK_BOT_TOKEN: is missing beside SLACK_APP_TOKEN',
  );
  expect(problemsOf({ SLACK_SIGNING_SECRET: SECRET })).toContain('missing beside SLACK_SIGNING_SECRET');
  const all = problemsOf({ SLACK_APP_TOKEN: APP, SLACK_SIGNING_SECRET: 'short', PORTCULLIS_PORT: 'x' });
  expect(all).toContain('PORTCULLIS_PORT: ');
  expect(all).toContain('SLACK_SIGNING_SECRET: must have at least 16 characters');
  expect(all).toContain('SLACK_BOT_TOKEN: is missing');
  expect(all).toContain('keep one of');
  expect(all).not.toContain('short');
});

test.each(['0s', '0d', '1ms', '25h', '9999999d', 'soon'])('a day of %s is refused with its range', (day) => {
  expect(problemsOf({ PORTCULLIS_DAY: day })).toContain(
    'PORTCULLIS_DAY: must be a duration from 100ms to 24h',
  );
});
