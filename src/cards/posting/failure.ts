import { webApi } from '@slack/bolt';

/** Slack did not do it: its own code, and when to ask again if it said so. `not_reached`: nobody knows whether it did. */
export class SlackFailure extends Error {
  readonly code: string;
  readonly retryAfterMs: number | undefined;

  constructor(code: string, retryAfterMs?: number, options?: ErrorOptions) {
    super(`Slack answered ${code}`, options);
    this.name = 'SlackFailure';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Another process posts it, or has done so: this one stood still meanwhile. Nothing was sent. */
export const TAKEN_OVER = 'taken_over';

/** What a failed call of the Web API means. */
export function slackFailure(error: unknown): SlackFailure {
  if (error instanceof SlackFailure) return error;
  if (error instanceof webApi.WebAPIRateLimitedError) {
    return new SlackFailure('rate_limited', error.retryAfter * 1_000, { cause: error });
  }
  if (error instanceof webApi.WebAPIPlatformError)
    return new SlackFailure(error.data.error, undefined, { cause: error });
  return new SlackFailure('not_reached', undefined, { cause: error });
}
