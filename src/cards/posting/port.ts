import { type Logger, type types, webApi } from '@slack/bolt';
import type { Clock } from '../../clock.ts';
import type { Copy } from '../../records/copy.ts';
import { type KnownBlock, plainBlocks, type SlackMessage } from '../blocks/message.ts';
import { SlackFailure, slackFailure } from './failure.ts';
import { cardMetadata, LostPosts, type PostPlace } from './lost-posts.ts';
import { RateGate } from './rate-gate.ts';
import { type Picture, uploadPicture } from './upload.ts';
import { createUserLookup, type UserLookup } from './users.ts';

export { SlackFailure, slackFailure } from './failure.ts';

/** How a post is known again when its answer was lost. */
export interface PostOptions {
  /** What the message is about, the same at every try. Without it a post whose answer was lost may be there twice. */
  ref?: string;
  /** What the message shows, as a number that rises. */
  version?: number;
  /** An earlier try, of this process or another, may have posted it: it is looked for first. */
  maybePosted?: boolean;
  /**
   * Asked right before anything new is sent.
   * @throws SlackFailure it is another process's by now
   */
  assertMine?(): Promise<void>;
}

/**
 * What the service needs of Slack. Every call may throw a SlackFailure with Slack's own code; after a 429 the method
 * fails with `rate_limited` and what is left to wait until Slack's Retry-After is over.
 */
export interface SlackPort {
  /**
   * Posts; into the thread of `under` where given. With a `ref`, a post that may have arrived although its answer was
   * lost is found in the channel's history and brought up to date instead, where the app may read it.
   */
  post(channel: string, message: SlackMessage, under?: Copy, options?: PostOptions): Promise<Copy>;
  /** False: this copy can never be changed again (deleted, archived, unknown). */
  update(copy: Copy, message: SlackMessage): Promise<boolean>;
  /** The direct conversation with a person: a channel whose id begins with D. */
  dm(userId: string): Promise<string>;
  /** False: deactivated, a bot, or nobody. `undefined` when Slack did not answer. Never throws. */
  userIsActive(userId: string): Promise<boolean | undefined>;
  /** The members of a user group; codes such as `missing_scope`, `plan_upgrade_required`, `no_such_subteam`. */
  usersOfGroup(groupId: string): Promise<string[]>;
  /**
   * Puts a picture into the thread of a message, by Slack's three steps. @returns the file's id
   * @throws SlackFailure such as `missing_scope`: uploading needs files:write
   */
  upload(under: Copy, picture: Picture): Promise<string>;
  /** Shows a person's Home tab. */
  publishHome(userId: string, view: types.HomeView): Promise<void>;
}

/** A picture; Slack takes png, jpg and gif, and an alternative text of at most 1,000 characters. */
export type { Picture } from './upload.ts';

export interface SlackClientOptions {
  botToken: string;
  /** Another server for the Web API, with its path: `http://localhost:3000/api/`. */
  apiUrl?: string;
}

const TIMEOUT_MS = 2_000;
const DMS_MAX = 10_000;
/** Nothing will bring this copy back. */
const GONE = new Set([
  'message_not_found',
  'channel_not_found',
  'is_archived',
  'is_inactive',
  'cant_update_message',
  'edit_window_closed',
]);
const REFUSED_BLOCKS = new Set([
  'invalid_blocks',
  'invalid_blocks_format',
  'msg_blocks_too_long',
  'msg_too_long',
]);
const QUIET = { unfurl_links: false, unfurl_media: false, parse: 'none', link_names: false } as const;

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

/** The port over a client; blocks that Slack refuses are sent once more as plain sections. */
export function createSlackPort(
  client: webApi.WebClient,
  clock: Clock,
  users: UserLookup = createUserLookup(client, clock),
): SlackPort {
  const gate = new RateGate(clock);
  const lost = new LostPosts(client, gate, clock);
  const update = (copy: Copy, message: SlackMessage) => updateCopy(client, gate, copy, message);
  const postNew = (channel: string, message: SlackMessage, under?: Copy, options: PostOptions = {}) =>
    withPlainBlocks(message, async (blocks) => {
      const { ref, version = 0, assertMine } = options;
      await assertMine?.();
      return gate.call(`chat.postMessage ${channel}`, async () => {
        const posted = await client.chat.postMessage({
          channel,
          text: message.text,
          blocks,
          ...QUIET,
          ...(ref === undefined ? {} : { metadata: cardMetadata(ref, version) }),
          ...(under ? { thread_ts: under.ts } : {}),
        });
        return { channel: posted.channel ?? channel, ts: posted.ts ?? '' };
      });
    });
  return {
    async post(channel, message, under, options = {}) {
      const { ref, version = 0, maybePosted } = options;
      if (ref === undefined) return postNew(channel, message, under);
      const place: PostPlace = { channel, ref, threadTs: under?.ts };
      const found = maybePosted || lost.mayBePosted(place) ? await lost.find(place) : undefined;
      if (found && (found.version === version || (await update(found, message)))) {
        lost.arrived(place, found.channel);
        return { channel: found.channel, ts: found.ts };
      }
      try {
        const copy = await postNew(channel, message, under, options);
        lost.arrived(place, copy.channel);
        return copy;
      } catch (error) {
        lost.failed(place, slackFailure(error));
        throw error;
      }
    },
    update,
    dm: conversationOpener(client, gate),
    async userIsActive(userId) {
      const looked = await users(userId);
      return 'user' in looked ? !looked.user.deactivated && !looked.user.bot : undefined;
    },
    async usersOfGroup(usergroup) {
      const list = () => client.usergroups.users.list({ usergroup });
      return (await gate.call('usergroups.users.list', list)).users ?? [];
    },
    upload: (under, picture) => uploadPicture(client, gate, under, picture),
    async publishHome(userId, view) {
      await gate.call('views.publish', () => client.views.publish({ user_id: userId, view }));
    },
  };
}

async function updateCopy(
  client: webApi.WebClient,
  gate: RateGate,
  { channel, ts }: Copy,
  message: SlackMessage,
): Promise<boolean> {
  const send = (blocks: KnownBlock[]) =>
    gate.call('chat.update', () =>
      client.chat.update({ channel, ts, text: message.text, blocks, parse: 'none', link_names: false }),
    );
  try {
    await withPlainBlocks(message, send);
    return true;
  } catch (error) {
    if (error instanceof SlackFailure && GONE.has(error.code)) return false;
    throw error;
  }
}

/** Opens direct conversations; their ids never change. */
function conversationOpener(client: webApi.WebClient, gate: RateGate): SlackPort['dm'] {
  const opened = new Map<string, string>();
  return async (userId) => {
    const known = opened.get(userId);
    if (known !== undefined) return known;
    const open = () => client.conversations.open({ users: userId });
    const id = (await gate.call('conversations.open', open)).channel?.id;
    if (!id) throw new SlackFailure('channel_not_found');
    if (opened.size >= DMS_MAX) opened.clear();
    opened.set(userId, id);
    return id;
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
