import type { Config } from '../../config.ts';
import { type Check, fail, ok, wordsOf } from './check.ts';

const WITHIN_MS = 5_000;
const SLACK_API = 'https://slack.com/api/';

interface SlackAnswer {
  ok: boolean;
  error?: string;
  team?: string;
  user?: string;
}

/** Both tokens, by the calls that Slack has for it. Nothing is posted and no connection is opened. */
export async function checkSlack(slack: Config['slack']): Promise<Check[]> {
  if (!slack) {
    return [
      ok('Slack', 'no tokens: approvals are answered on the web page and by portcullis action approve'),
    ];
  }
  const base = (slack.apiUrl ?? SLACK_API).replace(/\/?$/, '/');
  return Promise.all([
    checkOne('Slack bot token', base, 'auth.test', slack.botToken, 'SLACK_BOT_TOKEN'),
    checkOne('Slack app token', base, 'apps.connections.open', slack.appToken, 'SLACK_APP_TOKEN'),
  ]);
}

async function checkOne(
  name: string,
  base: string,
  method: string,
  token: string,
  variable: string,
): Promise<Check> {
  try {
    const response = await fetch(base + method, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/x-www-form-urlencoded' },
      signal: AbortSignal.timeout(WITHIN_MS),
    });
    const answer = (await response.json()) as SlackAnswer;
    if (answer.ok) return ok(name, answer.team ? `accepted in ${answer.team}` : 'accepted');
    const mend = `Set ${variable} to the token of the app (api.slack.com/apps), and install it in the workspace`;
    return fail(name, `Slack answered ${method} with ${answer.error ?? response.status}`, mend);
  } catch (error) {
    return fail(
      name,
      `Slack does not answer at ${base}: ${wordsOf(error)}`,
      'Check the network; cards wait meanwhile',
    );
  }
}
