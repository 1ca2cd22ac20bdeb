import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { SERVICE_ROLES, type ServiceRole } from '../../src/config/roles.ts';
import { SIZE_RANGES, sizesFor } from '../../src/config/sizes.ts';
import { lookAtConfig, readConfig } from '../../src/config.ts';

const BOT = 'xoxb-1';
const APP = 'xapp-1';
const SECRET = 'a-signing-secret';

function problemsOf(env: NodeJS.ProcessEnv, roles?: readonly ServiceRole[]): string {
  try {
    readConfig(env, roles);
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

test('the key of PagerDuty is refused by its name alone, and goes with its address', () => {
  const wrong = problemsOf({ PORTCULLIS_PAGERDUTY_ROUTING_KEY: 'not-a-key' });
  expect(wrong).toContain('PORTCULLIS_PAGERDUTY_ROUTING_KEY: is the 32 letters and digits');
  expect(wrong).not.toContain('not-a-key');
  const routingKey = 'a'.repeat(32);
  const url = 'https://events.eu.pagerduty.com/v2/enqueue';
  const given = { PORTCULLIS_PAGERDUTY_ROUTING_KEY: routingKey, PORTCULLIS_PAGERDUTY_EVENTS_URL: url };
  expect(readConfig(given).pager).toEqual({ routingKey, url });
  expect(readConfig({}).pager).toBeUndefined();
});

test.each(['0s', '0d', '1ms', '25h', '9999999d', 'soon'])('a day of %s is refused with its range', (day) => {
  expect(problemsOf({ PORTCULLIS_DAY: day })).toContain(
    'PORTCULLIS_DAY: must be a duration from 100ms to 24h',
  );
});

const STORE = { DATABASE_URL: 'postgres://p@db/p' };
const TEMPORAL = { TEMPORAL_ADDRESS: 'temporal:7233' };

test.each<[ServiceRole, NodeJS.ProcessEnv]>([
  ['api', STORE],
  ['background', { ...STORE, ...TEMPORAL }],
  ['worker', { ...STORE, ...TEMPORAL }],
  ['slack', { ...STORE, SLACK_BOT_TOKEN: BOT, SLACK_APP_TOKEN: APP }],
  ['slack', { ...STORE, SLACK_BOT_TOKEN: BOT, SLACK_SIGNING_SECRET: SECRET }],
])('a process with the role %s alone needs %o, each of them, and nothing else', (role, needs) => {
  expect(problemsOf(needs, [role])).toBe('none');
  for (const name of Object.keys(needs)) {
    const { [name]: _, ...rest } = needs;
    expect(problemsOf(rest, [role])).toMatch(
      name.startsWith('SLACK_') ? /SLACK_BOT_TOKEN: / : new RegExp(`- ${name}: is missing`),
    );
  }
});

test('what only another role uses is neither needed nor kept', () => {
  const lone = { SLACK_BOT_TOKEN: BOT };
  expect(readConfig({ ...STORE, ...TEMPORAL, ...lone }, ['worker']).slack).toEqual({ botToken: BOT });
  const lost = { ...STORE, ...TEMPORAL, SLACK_APP_TOKEN: APP };
  expect(problemsOf(lost, ['worker'])).toContain('SLACK_BOT_TOKEN: is missing beside SLACK_APP_TOKEN');
  for (const role of ['api', 'background'] as const) {
    expect(readConfig({ ...STORE, ...TEMPORAL, ...lone }, [role]).slack).toBeUndefined();
    expect(problemsOf(lost, [role])).toBe('none');
  }
});

test('whoever only looks at what is set misses nothing, and is told what contradicts itself', () => {
  expect(lookAtConfig({ SLACK_BOT_TOKEN: BOT }).slack).toEqual({ botToken: BOT });
  const both = { SLACK_BOT_TOKEN: BOT, SLACK_APP_TOKEN: APP, SLACK_SIGNING_SECRET: SECRET };
  for (const wrong of [{ SLACK_APP_TOKEN: APP }, both, { PORTCULLIS_DB_POOL: '0' }])
    expect(() => lookAtConfig(wrong)).toThrow(/Cannot start/);
});

test('every role in one process needs nothing; named, the role slack needs its tokens there too', () => {
  expect(problemsOf({})).toBe('none');
  expect(problemsOf({}, SERVICE_ROLES)).toMatch(/SLACK_BOT_TOKEN: is missing: the role slack needs it/);
});

const SIZES = [
  ['PORTCULLIS_DB_POOL', 'dbPool'],
  ['PORTCULLIS_DB_GATE_POOL', 'gatePool'],
  ['PORTCULLIS_CACHED_AGENTS', 'cachedAgents'],
] as const;

test.each(SIZES)('%s is a whole number in its range, which a refusal names', (variable, size) => {
  const [least, most] = SIZE_RANGES[size];
  for (const right of [least, most])
    expect(readConfig({ [variable]: String(right) }).sizes[size]).toBe(right);
  for (const wrong of [least - 1, most + 1, 4.5, '1e2', '0x10', ' 8', '-8', 'many'])
    expect(problemsOf({ [variable]: String(wrong) })).toContain(
      `${variable}: must be a whole number from ${least} to ${most}`,
    );
  expect(readConfig({ [variable]: '' }).sizes).toEqual(readConfig({}).sizes);
});

test('sizes nobody asked for follow the cores, and each is in its range', () => {
  expect(sizesFor({}, 2)).toEqual({ dbPool: 20, gatePool: 10, cachedAgents: 2_000 });
  expect(sizesFor({ dbPool: 8 }, 2)).toMatchObject({ dbPool: 8, gatePool: 4 });
  for (const cores of [1, 2, 8, 64, 1_024])
    for (const [size, value] of Object.entries(sizesFor({}, cores))) {
      const [least, most] = SIZE_RANGES[size as keyof typeof SIZE_RANGES];
      expect(value).toBeGreaterThanOrEqual(least);
      expect(value).toBeLessThanOrEqual(most);
    }
});

test.each<[string, NodeJS.ProcessEnv, RegExp]>([
  ['a certificate without its key', { TEMPORAL_TLS_CLIENT_CERT_PATH: 'a' }, /CLIENT_KEY_PATH: is missing/],
  ['a key without its certificate', { TEMPORAL_TLS_CLIENT_KEY_PATH: 'a' }, /CLIENT_CERT_PATH: is missing/],
  ['an API key in clear text', { TEMPORAL_API_KEY: 'secret' }, /TEMPORAL_API_KEY: .*set TEMPORAL_TLS=true/],
  [
    'an API key where TLS is off',
    { TEMPORAL_API_KEY: 'secret', TEMPORAL_TLS: 'false' },
    /TEMPORAL_API_KEY: .*clear text/,
  ],
  [
    'TLS that is off beside what it needs',
    { TEMPORAL_TLS: 'false', TEMPORAL_TLS_SERVER_NAME: 'a' },
    /TEMPORAL_TLS: is false beside TEMPORAL_TLS_SERVER_NAME/,
  ],
  ['anything but true and false', { TEMPORAL_TLS: 'yes' }, /TEMPORAL_TLS: must be true or false/],
  [
    'a name with a port',
    { TEMPORAL_TLS_SERVER_NAME: 'a:7233' },
    /SERVER_NAME: must be a name without a port/,
  ],
  [
    'a key of two words',
    { TEMPORAL_TLS: 'true', TEMPORAL_API_KEY: 'secret key' },
    /API_KEY: must be one word/,
  ],
  ['one slot', { PORTCULLIS_SLOTS_ALERTS: '1' }, /SLOTS_ALERTS: must be a whole number from 2 to 1000/],
])('Temporal is not half configured: %s is refused by name', (_, env, says) => {
  const problems = problemsOf({ ...TEMPORAL, ...env });
  expect(problems).toMatch(says);
  expect(problems).not.toContain('secret');
});

test('what secures Temporal is refused beside the embedded one', () => {
  expect(problemsOf({ TEMPORAL_TLS: 'true', TEMPORAL_API_KEY: 'secret' })).toContain(
    'TEMPORAL_ADDRESS: is missing beside TEMPORAL_TLS, TEMPORAL_API_KEY',
  );
});

test('Temporal is in clear text, by TLS or by mTLS, with slots by the cores unless they are said', () => {
  const of = (env: NodeJS.ProcessEnv) => readConfig({ ...TEMPORAL, ...env }).temporal;
  expect(of({ TEMPORAL_TLS: '', TEMPORAL_API_KEY: '' })).not.toHaveProperty('tls');
  expect(of({ TEMPORAL_TLS: 'true', TEMPORAL_API_KEY: 'k' })).toMatchObject({ tls: {}, apiKey: 'k' });
  expect(of({ TEMPORAL_TLS_CLIENT_CERT_PATH: 'c', TEMPORAL_TLS_CLIENT_KEY_PATH: 'k' }).tls).toMatchObject({
    clientCertPath: 'c',
    clientKeyPath: 'k',
  });
  const cores = availableParallelism();
  expect(of({ PORTCULLIS_SLOTS_CALLBACKS: '7' }).slots).toEqual({
    approvals: 20 * cores,
    rollouts: 5 * cores,
    alerts: 20 * cores,
    callbacks: 7,
  });
});
