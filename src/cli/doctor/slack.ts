import type { Config } from '../../config.ts';
import { type Check, fail, ok, warn, wordsOf } from './check.ts';

const WITHIN_MS = 5_000;
const SLACK_API = 'https://slack.com/api/';
const SIGNED = 'come signed to POST /slack/events of the process with the role slack';
const ELSEWHERE = 'come to another process: with the bot token alone this environment posts';

interface SlackAnswer {
  ok: boolean;
  error?: string;
  team?: string;
  user?: string;
}

/** The bot scopes of slack-manifest.yaml, and what does not work without each (test/unit/slack/manifest.test.ts). */
export const SLACK_SCOPES: Readonly<Record<string, { needed: boolean; without: string }>> = {
  'chat:write': { needed: true, without: 'no card can be posted' },
  commands: { needed: true, without: '/portcullis does not exist' },
  'users:read': { needed: true, without: 'deactivated users are not refused' },
  'users:read.email': { needed: false, without: 'slack.matchEmail matches nobody' },
  'im:write': { needed: false, without: 'cards go to channels only, never to a person' },
  'files:write': { needed: false, without: 'the weekly review comes without its charts; its page has them' },
  'usergroups:read': {
    needed: false,
    without: 'groups of Slack count as stale, and nobody of them may approve',
  },
  'channels:history': {
    needed: false,
    without: 'a card whose answer was lost may be posted twice in a channel',
  },
  'groups:history': {
    needed: false,
    without: 'a card whose answer was lost may be posted twice in a private channel',
  },
  'im:history': { needed: false, without: 'a card whose answer was lost may reach a person twice' },
};

/** The tokens and scopes, by the calls that Slack has for it. Nothing is posted and no connection is opened. */
export async function checkSlack(slack: Config['slack']): Promise<Check[]> {
  if (!slack) {
    return [
      ok('Slack', 'no tokens: approvals are answered on the web page and by portcullis approvals approve'),
    ];
  }
  const base = (slack.apiUrl ?? SLACK_API).replace(/\/?$/, '/');
  const bot = { base, method: 'auth.test', token: slack.botToken, variable: 'SLACK_BOT_TOKEN' };
  const checks = await Promise.all([
    checkOne('Slack bot token', bot, checkScopes),
    slack.appToken
      ? checkOne('Slack app token', {
          base,
          method: 'apps.connections.open',
          token: slack.appToken,
          variable: 'SLACK_APP_TOKEN',
        })
      : [ok('Slack requests', slack.signingSecret ? SIGNED : ELSEWHERE)],
  ]);
  return checks.flat();
}

interface Call {
  base: string;
  method: string;
  token: string;
  /** Where the token is from. */
  variable: string;
}

async function checkOne(
  name: string,
  { base, method, token, variable }: Call,
  more: (scopes: string | null) => Check[] = () => [],
): Promise<Check[]> {
  try {
    const response = await fetch(base + method, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const answer = (await response.json()) as SlackAnswer;
    if (answer.ok) {
      const accepted = ok(name, answer.team ? `accepted in ${answer.team}` : 'accepted');
      return [accepted, ...more(response.headers.get('x-oauth-scopes'))];
    }
    const mend = `Set ${variable} to the token of the app (api.slack.com/apps), and install it in the workspace`;
    return [fail(name, `Slack answered ${method} with ${answer.error ?? response.status}`, mend)];
  } catch (error) {
    const detail = `Slack does not answer at ${base}: ${wordsOf(error)}`;
    return [fail(name, detail, 'Check the network; cards wait meanwhile')];
  }
}

/** Slack says with every answer what the token may do. */
function checkScopes(header: string | null): Check[] {
  const granted = new Set(header?.split(',').map((scope) => scope.trim()));
  const missing = Object.entries(SLACK_SCOPES).filter(([scope]) => !granted.has(scope));
  if (missing.length === 0) return [ok('Slack scopes', 'all of slack-manifest.yaml')];
  const detail = missing.map(([scope, { without }]) => `without ${scope} ${without}`).join('; ');
  const mend = 'Add them to the app under OAuth & Permissions, and install it again';
  const state = missing.some(([, { needed }]) => needed) ? fail : warn;
  return [state('Slack scopes', detail, mend)];
}
