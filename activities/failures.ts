import { ApplicationFailure } from '@temporalio/common';
import { SlackFailure } from '../src/cards/posting/port.ts';
import { AppError } from '../src/errors.ts';

/** Waits for somebody to mend it: the bot is not in the channel, a scope or the token is missing. */
const MENDED_BY_PEOPLE_MS = 60_000;

/**
 * A failure as Temporal retries it. Slack's: after its own word, soon when it did not answer, else slowly. A row that
 * is not there (a restored store) does not come back.
 */
export function asActivityFailure(error: unknown): unknown {
  if (error instanceof AppError && error.code === 'not_found') {
    return ApplicationFailure.nonRetryable(error.message, error.code);
  }
  if (!(error instanceof SlackFailure)) return error;
  const { code, retryAfterMs } = error;
  const nextRetryDelay = retryAfterMs ?? (code === 'not_reached' ? undefined : MENDED_BY_PEOPLE_MS);
  return ApplicationFailure.create({
    message: error.message,
    type: `slack.${code}`,
    ...(nextRetryDelay === undefined ? {} : { nextRetryDelay }),
  });
}
