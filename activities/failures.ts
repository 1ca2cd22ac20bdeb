import { ApplicationFailure } from '@temporalio/common';
import { SlackFailure } from '../src/slack/port.ts';

/** Waits for somebody to mend it: the bot is not in the channel, a scope or the token is missing. */
const MENDED_BY_PEOPLE_MS = 60_000;

/** A failure of Slack as Temporal retries it: after Slack's own word, soon when it did not answer, else slowly. */
export function asActivityFailure(error: unknown): unknown {
  if (!(error instanceof SlackFailure)) return error;
  const { code, retryAfterMs } = error;
  const nextRetryDelay = retryAfterMs ?? (code === 'not_reached' ? undefined : MENDED_BY_PEOPLE_MS);
  return ApplicationFailure.create({
    message: error.message,
    type: `slack.${code}`,
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
  });
}
