import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { SLACK_SCOPES } from '../../../src/cli/doctor/slack.ts';
import { SCOPES } from '../../fakes/slack/scopes.ts';

const text = readFileSync(resolve(import.meta.dirname, '../../../slack-manifest.yaml'), 'utf8');
const manifest = parse(text);

test('the manifest, doctor and the methods that are called name the same scopes', () => {
  const scopes: string[] = manifest.oauth_config.scopes.bot;
  expect([...scopes].sort()).toEqual(Object.keys(SLACK_SCOPES).sort());
  expect([...scopes].sort()).toEqual([...SCOPES].sort());
});

test('each scope says what it is for', () => {
  const from = text.indexOf('    bot:\n') + '    bot:\n'.length;
  const lines = text.slice(from, text.indexOf('settings:')).trimEnd().split('\n');
  for (const [at, line] of lines.entries())
    if (/^ +- /.test(line))
      expect(line.includes(' # ') || /^ +# /.test(lines[at - 1] ?? ''), line).toBe(true);
});

test('HTTP is the manifest with the lines of HOST in force', () => {
  expect(manifest.settings.socket_mode_enabled).toBe(true);
  expect(manifest.settings.interactivity.request_url).toBeUndefined();
  const http = parse(text.replace(/^( +)# ((?:request_)?url: https:\/\/HOST)/gm, '$1$2'));
  const url = 'https://HOST/slack/events';
  expect(http.settings.interactivity).toEqual({ is_enabled: true, request_url: url });
  expect(http.settings.event_subscriptions).toEqual({ request_url: url, bot_events: ['app_home_opened'] });
  expect(http.features.slash_commands).toMatchObject([{ command: '/portcullis', url }]);
});
