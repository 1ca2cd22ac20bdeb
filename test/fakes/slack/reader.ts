import type { SocketMode } from './socket.ts';
import { waitFor } from './waiting.ts';
import type { CallRecord, WebApi } from './web-api.ts';
import type { Ephemeral, Message, View, World } from './world.ts';

type Test<T> = (value: T) => boolean;

const WAIT_MS = 15_000;

/** What a test reads: snapshots, so that a later change is told by comparing, and waits without races. */
export class Reader {
  private readonly handedOut = new Set<string>();

  constructor(
    private readonly world: World,
    private readonly api: WebApi,
    private readonly socket: SocketMode,
  ) {}

  /** All methods, bound, for the object that tests hold. */
  methods() {
    return {
      messages: (channel: string) => this.live(channel).map(copy),
      message: (channel: string, ts: string): Message | undefined => {
        const found = this.world.message(this.world.channel(channel)?.id ?? channel, ts);
        return found && copy(found);
      },
      nextMessage: (channel: string, test?: Test<Message>, timeoutMs = WAIT_MS): Promise<Message> =>
        this.next(`message in ${channel}`, () => this.live(channel), test, timeoutMs),
      nextUpdate: (message: Message, test?: Test<Message>, timeoutMs = WAIT_MS): Promise<Message> =>
        this.nextUpdate(message, test, timeoutMs),
      ephemerals: (userId: string): Ephemeral[] =>
        this.world.ephemerals.filter((each) => each.user === userId).map(copy),
      nextEphemeral: (userId: string, test?: Test<Ephemeral>, timeoutMs = WAIT_MS): Promise<Ephemeral> => {
        const find = () => this.world.ephemerals.filter((each) => each.user === userId);
        return this.next(`ephemeral message for ${userId}`, find, test, timeoutMs);
      },
      nextView: (userId: string, test?: Test<View>, timeoutMs = WAIT_MS): Promise<View> => {
        const find = () =>
          [...this.world.views.values()].filter((each) => each.userId === userId && each.open);
        return this.next(`view for ${userId}`, find, test, timeoutMs);
      },
      views: (): View[] => [...this.world.views.values()].map(copy),
      view: (id: string): View | undefined => {
        const found = this.world.views.get(id);
        return found && copy(found);
      },
      calls: (method?: string): CallRecord[] =>
        this.api.calls.filter((each) => !method || each.method === method),
      nextCall: (method: string, test?: Test<CallRecord>, timeoutMs = WAIT_MS): Promise<CallRecord> => {
        const find = () => this.api.calls.find((each) => each.method === method && (test?.(each) ?? true));
        return waitFor(this.world, `call of ${method}`, find, timeoutMs);
      },
      connections: () => this.socket.counts,
      connected: async (open = 1, ever = open, timeoutMs = WAIT_MS): Promise<void> => {
        const enough = () =>
          (this.socket.counts.open >= open && this.socket.counts.ever >= ever) || undefined;
        await waitFor(this.world, `${open} open connections, ${ever} ever`, enough, timeoutMs);
      },
    };
  }

  private live(channel: string): Message[] {
    const id = this.world.channel(channel)?.id ?? channel;
    return this.world.messages.filter((each) => each.channel === id && !each.deleted);
  }

  /** The oldest that fits and was not handed out before, now or later; each is handed out once. */
  private async next<T extends Message | Ephemeral | View>(
    what: string,
    all: () => T[],
    test: Test<T> = () => true,
    timeoutMs: number,
  ): Promise<T> {
    const find = () => all().find((each) => !this.handedOut.has(keyOf(each)) && test(each));
    const found = await waitFor(this.world, what, find, timeoutMs);
    this.handedOut.add(keyOf(found));
    return copy(found);
  }

  private async nextUpdate(
    seen: Message,
    test: Test<Message> = () => true,
    timeoutMs: number,
  ): Promise<Message> {
    const find = () => {
      const now = this.world.message(seen.channel, seen.ts);
      return now && now.revisions.length > seen.revisions.length && test(now) ? now : undefined;
    };
    return copy(
      await waitFor(this.world, `update of message ${seen.ts} in ${seen.channel}`, find, timeoutMs),
    );
  }
}

function keyOf(value: Message | Ephemeral | View): string {
  return 'definition' in value ? value.id : `${value.channel}/${value.ts}`;
}

function copy<T>(value: T): T {
  return structuredClone(value);
}
