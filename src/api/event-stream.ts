import type { ServerResponse } from 'node:http';
import { type EventFilter, eventOf, isWanted, type StoredEvent } from '../events/event.ts';
import { logHead, readEvents } from '../events/read.ts';
import { sseMessage, ssePlace, sseRetry } from '../events/sse.ts';
import type { Services } from '../services.ts';
import { liveTokens } from '../tokens/live.ts';
import { fairPages, type LogReader } from './fair-pages.ts';
import { SoonestTimer } from './soonest-timer.ts';

/** How the streams of one process are served. */
export interface StreamLimits {
  pollMs: number;
  heartbeatMs: number;
  /** Whoever takes nothing for so long is let go, and comes back with Last-Event-ID. */
  stalledMs: number;
  /** How often it is asked whether the tokens still stand. */
  tokensMs: number;
  /** Entries of the log that are read, and at most sent to a stream, at a time. */
  page: number;
}

const STREAM_LIMITS: StreamLimits = {
  pollMs: 250,
  heartbeatMs: 15_000,
  stalledMs: 30_000,
  tokensMs: 2_000,
  page: 200,
};
const RETRY_MS = 2_000;
/** After a commit of this process: its entries are numbered within 100 ms. */
const EAGER_MS = 200;
const EAGER_POLL_MS = 50;
const AFTER_FAILURE_MS = 1_000;
/** Pages that are read for those who are behind before those at the end of the log have their turn again. */
const FAR_PAGES_A_TURN = 8;
/** Until then an ended stream may still flush. */
const LINGER_MS = 500;

/** Where the events of one stream go. */
export type EventSink = Pick<
  ServerResponse,
  'write' | 'end' | 'destroy' | 'destroyed' | 'on' | 'writableNeedDrain'
>;

/** Who follows what. */
export interface Follower {
  filter: EventFilter;
  /** Sees events as the log has them. */
  whole: boolean;
  tokenId: string;
  /** The number of the last event that it knows. */
  after: number;
}

interface Stream extends Follower, LogReader {
  sink: EventSink;
  /** Monotonic, since when nothing more can be sent. */
  stalledSinceMs: number | undefined;
}

/**
 * Streams of events. One look at the log serves all that stand at its end; whoever is behind is brought up page by
 * page, in turn with the others, and no further than they take it: what waits for a slow reader is at most one page.
 */
export class EventStreams {
  readonly #services: Pick<Services, 'db' | 'clock' | 'log'>;
  readonly #limits: StreamLimits;
  readonly #streams = new Set<Stream>();
  readonly #heartbeat: NodeJS.Timeout;
  readonly #timer = new SoonestTimer(() => void this.#look());
  #looking = false;
  #failing = false;
  #closed = false;
  #eagerUntilMs = 0;
  #tokensAskedMs = 0;
  #turn = 0;

  constructor(services: Pick<Services, 'db' | 'clock' | 'log'>, limits?: Partial<StreamLimits>) {
    this.#services = services;
    this.#limits = { ...STREAM_LIMITS, ...limits };
    this.#heartbeat = setInterval(() => this.#beat(), this.#limits.heartbeatMs).unref();
  }

  /** Takes no more. */
  get isClosed(): boolean {
    return this.#closed;
  }

  /** Sends what happened after `after`, and what happens, until the sink is closed or its token does not stand. */
  add(sink: EventSink, follower: Follower): void {
    const stream: Stream = { ...follower, sink, servedIn: 0, stalledSinceMs: undefined };
    if (sink.destroyed) return;
    this.#streams.add(stream);
    for (const over of ['close', 'error']) sink.on(over, () => this.#streams.delete(stream));
    sink.on('drain', () => {
      stream.stalledSinceMs = undefined;
      this.#lookIn(0);
    });
    // The place at once: a client that is cut off before its first event goes on from here.
    send(stream, sseRetry(RETRY_MS) + ssePlace(stream.after));
    this.#lookIn(0);
  }

  /** Something was committed: look as it is numbered. */
  wake(): void {
    if (this.#streams.size === 0) return;
    this.#eagerUntilMs = performance.now() + EAGER_MS;
    this.#lookIn(EAGER_POLL_MS);
  }

  /** Ends all of them. */
  close(): void {
    this.#closed = true;
    this.#timer.stop();
    clearInterval(this.#heartbeat);
    for (const stream of [...this.#streams]) this.#end(stream);
  }

  #end(stream: Stream): void {
    this.#streams.delete(stream);
    stream.sink.end();
    setTimeout(() => stream.sink.destroy(), LINGER_MS).unref();
  }

  #beat(): void {
    const now = performance.now();
    for (const stream of [...this.#streams]) {
      const { stalledSinceMs } = stream;
      if (stalledSinceMs === undefined) send(stream, ssePlace(stream.after));
      else if (now - stalledSinceMs >= this.#limits.stalledMs) {
        this.#streams.delete(stream);
        stream.sink.destroy();
      }
    }
  }

  #lookIn(ms: number): void {
    if (!this.#closed) this.#timer.in(ms);
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#streams.size === 0) return;
    this.#looking = true;
    let waitMs: number | undefined;
    try {
      await this.#letGo();
      if (await this.#serveAll()) waitMs = 0;
      this.#failing = false;
    } catch (error) {
      waitMs = AFTER_FAILURE_MS;
      if (!this.#failing && !this.#closed)
        this.#services.log.warn({ err: error }, 'event streams could not look at the log');
      this.#failing = true;
    } finally {
      this.#looking = false;
      const eager = performance.now() < this.#eagerUntilMs;
      this.#lookIn(waitMs ?? (eager ? EAGER_POLL_MS : this.#limits.pollMs));
    }
  }

  /** Ends the streams whose token does not stand any more. Asked before anything is sent. */
  async #letGo(): Promise<void> {
    const now = performance.now();
    if (now - this.#tokensAskedMs < this.#limits.tokensMs) return;
    const asked = [...this.#streams];
    const standing = await liveTokens(this.#services, [...new Set(asked.map(({ tokenId }) => tokenId))]);
    for (const stream of asked) if (!standing.has(stream.tokenId)) this.#end(stream);
    this.#tokensAskedMs = now;
  }

  /** One page for those near the end of the log, then a page each for the others. True: some are still behind. */
  async #serveAll(): Promise<boolean> {
    const { page } = this.#limits;
    const head = await logHead(this.#services.db.sql);
    const behind = [...this.#streams].filter((one) => one.after < head && one.stalledSinceMs === undefined);
    const near = behind.filter((stream) => head - stream.after <= page);
    const far = behind.filter((stream) => head - stream.after > page);
    this.#turn++;
    if (near.length > 0) await this.#serve(near, Math.min(...near.map(({ after }) => after)), head);
    for (const { from, readers } of fairPages(far, page, FAR_PAGES_A_TURN))
      await this.#serve(readers, from, from + page);
    return far.length > 0;
  }

  async #serve(group: readonly Stream[], from: number, upTo: number): Promise<void> {
    const events = await readEvents(this.#services.db.sql, from, upTo);
    const textOf = textsOf();
    for (const stream of group) {
      stream.servedIn = this.#turn;
      if (!this.#streams.has(stream)) continue;
      const fresh = events.filter((event) => event.seq > stream.after && isWanted(stream.filter, event));
      stream.after = upTo;
      if (fresh.length > 0) send(stream, fresh.map((event) => textOf(event, stream.whole)).join(''));
    }
  }
}

function send(stream: Stream, text: string): void {
  stream.sink.write(text);
  if (stream.sink.writableNeedDrain) stream.stalledSinceMs ??= performance.now();
}

/** Each event is written down once, however many follow it. */
function textsOf(): (event: StoredEvent, whole: boolean) => string {
  const texts = { whole: new Map<number, string>(), part: new Map<number, string>() };
  return (event, whole) => {
    const known = whole ? texts.whole : texts.part;
    const text =
      known.get(event.seq) ??
      sseMessage(event.seq, { event: event.kind, data: JSON.stringify(eventOf(event, whole)) });
    known.set(event.seq, text);
    return text;
  };
}
