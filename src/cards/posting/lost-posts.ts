import type { types, webApi } from '@slack/bolt';
import type { Clock } from '../../clock.ts';
import { type SlackFailure, slackFailure } from './failure.ts';
import type { RateGate } from './rate-gate.ts';

const CARD_EVENT = 'portcullis_card';
/** Long enough for Temporal's next tries, short enough for a busy channel. */
const LOOK_BACK_MS = 15 * 60_000;
const PAGE = 200;
const PAGES_MAX = 5;
const REMEMBERED_MAX = 10_000;
/** Nobody knows whether it was done; of its own errors of this kind Slack says that parts may have succeeded. */
const AMBIGUOUS = new Set(['not_reached', 'internal_error', 'fatal_error', 'service_unavailable']);

/** Which message: what it is about, where, and in which thread. */
export interface PostPlace {
  channel: string;
  ref: string;
  threadTs?: string;
}

/** A post that arrived although its answer was lost. */
export interface FoundPost {
  channel: string;
  ts: string;
  version: number;
}

/** What goes along with a message so that it is found again. */
export const cardMetadata = (ref: string, version: number): types.MessageMetadata => ({
  event_type: CARD_EVENT,
  event_payload: { ref, version },
});

/** Slack has no idempotency key for posts: one whose answer was lost is looked for before it is posted again. */
export class LostPosts {
  readonly #client: webApi.WebClient;
  readonly #gate: RateGate;
  readonly #clock: Clock;
  readonly #lost = new Set<string>();
  /** Ids of channels that manifests name by `#name`: histories are read by id alone. */
  readonly #ids = new Map<string, string>();
  #botId: string | undefined;

  constructor(client: webApi.WebClient, gate: RateGate, clock: Clock) {
    this.#client = client;
    this.#gate = gate;
    this.#clock = clock;
  }

  /** The try failed, and whether the message was posted may be unknown. */
  failed(place: PostPlace, failure: SlackFailure): void {
    if (!AMBIGUOUS.has(failure.code)) return;
    if (this.#lost.size >= REMEMBERED_MAX) this.#lost.clear();
    this.#lost.add(keyOf(place));
  }

  /** The message is there, in the channel of this id. */
  arrived(place: PostPlace, channelId: string): void {
    this.#lost.delete(keyOf(place));
    if (this.#ids.size >= REMEMBERED_MAX) this.#ids.clear();
    if (place.channel !== channelId) this.#ids.set(place.channel, channelId);
  }

  /** Whether an earlier try of this process may have posted it. */
  mayBePosted(place: PostPlace): boolean {
    return this.#lost.has(keyOf(place));
  }

  /**
   * The newest post of this app about `ref` in the last minutes. `undefined`: none, or the app may not read the channel.
   * @throws SlackFailure when Slack may say so soon
   */
  async find(place: PostPlace): Promise<FoundPost | undefined> {
    const channel = this.#ids.get(place.channel) ?? place.channel;
    const oldest = String((this.#clock.now().getTime() - LOOK_BACK_MS) / 1_000);
    let cursor: string | undefined;
    try {
      const botId = await this.#ownBotId();
      for (let page = 0; page < PAGES_MAX; page++) {
        const { messages = [], response_metadata } = await this.#read({ ...place, channel }, oldest, cursor);
        for (const { ts, bot_id, metadata } of messages) {
          const payload = metadata?.event_payload as { ref?: unknown; version?: unknown } | undefined;
          const isCard = metadata?.event_type === CARD_EVENT && payload?.ref === place.ref;
          // Any app may write such metadata: only our own message is ours.
          if (ts && isCard && bot_id === botId) return { channel, ts, version: Number(payload?.version) };
        }
        cursor = response_metadata?.next_cursor || undefined;
        if (cursor === undefined) break;
      }
    } catch (error) {
      const failure = slackFailure(error);
      // Any other refusal means that the app cannot read the channel, now or later.
      if (AMBIGUOUS.has(failure.code) || failure.code === 'rate_limited') throw failure;
    }
    return undefined;
  }

  async #ownBotId(): Promise<string> {
    const answer = () => this.#gate.call('auth.test', () => this.#client.auth.test());
    this.#botId ??= (await answer()).bot_id;
    return this.#botId ?? '';
  }

  #read({ channel, threadTs }: PostPlace, oldest: string, cursor: string | undefined) {
    const { conversations } = this.#client;
    const page = { channel, oldest, limit: PAGE, include_all_metadata: true, ...(cursor ? { cursor } : {}) };
    return threadTs === undefined
      ? this.#gate.call('conversations.history', () => conversations.history(page))
      : this.#gate.call('conversations.replies', () => conversations.replies({ ...page, ts: threadTs }));
  }
}

const keyOf = ({ channel, ref }: PostPlace): string => `${channel} ${ref}`;
