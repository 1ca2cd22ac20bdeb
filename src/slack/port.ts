import { type Logger, webApi } from '@slack/bolt';
import { type KnownBlock, plainBlocks, type SlackMessage } from './cards/message.ts';

/** A posted message. */
export interface Copy {
  channel: string;
  ts: string;
}

/** What the worker needs of Slack. */
export interface SlackPort {
  /** Posts; into the thread of `under` where given. @throws SlackFailure */
  post(channel: string, message: SlackMessage, under?: Copy): Promise<Copy>;
  /** False: this copy can never be changed again (deleted, archived, unknown). @throws SlackFailure */
  update(copy: Copy, message: SlackMessage): Promise<boolean>;
}

/** Slack did not do it: its own code, and when to ask again if it said so. */
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

export interface SlackClientOptions {
  botToken: string;
  /** Another server for the Web API, with its path: `http://localhost:3000/api/`. */
  apiUrl?: string;
}

const TIMEOUT_MS = 2_000;
/** Nothing will bring this copy back. */
const GONE = new Set([
  'message_not_found',
  'channel_not_found',
  'is_archived',
  'cant_update_message',
  'edit_window_closed',
]);
const REFUSED_BLOCKS = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
]);

/** Options of a client that leaves retrying to its caller; a fresh object each time, Bolt changes the one it gets. */
export const clientOptions = (apiUrl: string | undefined): webApi.WebClientOptions => ({
  ...(apiUrl ? { slackApiUrl: apiUrl } : {}),
  retryConfig: { retries: 0 },
  rejectRateLimitedCalls: true,
  timeout: TIMEOUT_MS,
});

/** A client for this process; the worker needs no more than this and `createSlackPort`. */
export const createSlackClient = (
  { botToken, apiUrl }: SlackClientOptions,
  logger?: Logger,
): webApi.WebClient =>
  new webApi.WebClient(botToken, { ...clientOptions(apiUrl), ...(logger ? { logger } : {}) });

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

/** Posts and updates with a client; blocks that Slack refuses are sent once more as plain sections. */
export function createSlackPort(client: webApi.WebClient): SlackPort {
  const quiet = { unfurl_links: false, unfurl_media: false, parse: 'none' as const, link_names: false };
  return {
    async post(channel, message, under) {
      return withPlainBlocks(message, async (blocks) => {
        const thread = under ? { thread_ts: under.ts } : {};
        const posted = await client.chat.postMessage({
          channel,
          text: message.text,
          blocks,
          ...quiet,
          ...thread,
        });
        return { channel: posted.channel ?? channel, ts: posted.ts ?? '' };
      });
    },
    async update({ channel, ts }, message) {
      try {
        return await withPlainBlocks(message, async (blocks) => {
          await client.chat.update({
            channel,
            ts,
            text: message.text,
            blocks,
            parse: 'none',
            link_names: false,
          });
          return true;
        });
      } catch (error) {
        if (error instanceof SlackFailure && GONE.has(error.code)) return false;
        throw error;
      }
    },
  };
}

async function withPlainBlocks<T>(
  message: SlackMessage,
  send: (blocks: KnownBlock[]) => Promise<T>,
): Promise<T> {
  try {
    return await send(message.blocks);
  } catch (error) {
    const failure = slackFailure(error);
    if (!REFUSED_BLOCKS.has(failure.code)) throw failure;
  }
  return send(plainBlocks(message)).catch((error: unknown) => {
    throw slackFailure(error);
  });
}
