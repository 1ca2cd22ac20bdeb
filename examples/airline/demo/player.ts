import {
  type Action,
  createPortcullis,
  Denied,
  isStop,
  type Portcullis,
  TooLate,
} from '../../../src/sdk/index.ts';
import { arrivalDay, type Calendar } from './calendar.ts';
import { type Desk, DeskRefusal } from './desk-process.ts';
import type { Conversation, RecordedCall } from './recording.ts';
import { linkOf } from './tally.ts';

const AT_ONCE_MAX = 10;
const TRIES_MAX = 6;
const AGENT_VERSION = 'gpt-4o/tau-bench';

/** What the player tells of a write that reached the desk with a credential. */
export interface Done {
  callId: string;
  conversation: Conversation;
  action: Action;
  /** The airline's own tool refused it. */
  refused: boolean;
  /** From asking to beginning, on the real clock. */
  waitedMs: number;
}

export interface PlayerDeps {
  url: string;
  token: string;
  desk: Desk;
  calendar: Calendar;
  /** Awaited before the conversation goes on. */
  onDone: (done: Done) => Promise<void>;
  /** Resolves when the switch is on again; at once when it is. */
  whenOn: () => Promise<void>;
  /** Conversations that arrive from the first to the second day come together on the second. */
  burst: readonly [number, number];
}

/** Plays the recorded conversations: each call through `guard()`, the writes with a credential for exactly this one. */
export class Player {
  /** Writes asked for and not ended. */
  openWrites = 0;
  /** Writes begun and under way at the desk. */
  atDesk = 0;
  readonly #deps: PlayerDeps;
  readonly #portcullis: Portcullis;
  readonly #assertions = new Map<string, Promise<string>>();

  constructor(deps: PlayerDeps) {
    this.#deps = deps;
    const { url, token } = deps;
    this.#portcullis = createPortcullis({ url, token, agentVersion: AGENT_VERSION });
  }

  /** Ends when all conversations have; a few run at once. @throws whatever is neither a denial nor a refusal */
  async play(conversations: readonly Conversation[]): Promise<void> {
    const { calendar, burst } = this.#deps;
    const running = new Set<Promise<void>>();
    for (const [place, conversation] of conversations.entries()) {
      const day = arrivalDay(place, conversations.length);
      await calendar.until(day >= burst[0] && day < burst[1] ? burst[1] : day);
      while (running.size >= AT_ONCE_MAX) await Promise.race(running);
      const run: Promise<void> = this.#converse(conversation).finally(() => running.delete(run));
      run.catch(() => {});
      running.add(run);
    }
    await Promise.all(running);
  }

  async #converse(conversation: Conversation): Promise<void> {
    for (const call of conversation.calls) {
      if (call.kind === 'read') await this.#use(conversation, call, 1);
      else await this.#write(conversation, call);
    }
  }

  /** A write that a stop ended is asked again under a new key, as an agent would. Other denials end it. */
  async #write(conversation: Conversation, call: RecordedCall): Promise<void> {
    this.openWrites += 1;
    try {
      for (let attempt = 1; ; attempt++) {
        if (attempt > 1) await this.#deps.whenOn();
        try {
          return await this.#use(conversation, call, attempt);
        } catch (error) {
          const again = isStop(error) || error instanceof TooLate;
          if (again && attempt < TRIES_MAX) continue;
          if (error instanceof Denied || again) return;
          throw error;
        }
      }
    } finally {
      this.openWrites -= 1;
    }
  }

  async #use(conversation: Conversation, call: RecordedCall, attempt: number): Promise<void> {
    const { desk, onDone } = this.#deps;
    const { episode, user } = conversation;
    let action: Action | undefined;
    let waitedMs = 0;
    const askedAt = performance.now();
    const guarded = this.#portcullis.guard(
      call.tool,
      async (args: RecordedCall['args'], { credential, signal }) => {
        waitedMs = Math.round(performance.now() - askedAt);
        this.atDesk += call.kind === 'write' ? 1 : 0;
        try {
          await desk.use(
            { tool: call.tool, conversation: episode, call: call.index, args },
            credential?.token,
            signal,
          );
        } finally {
          this.atDesk -= call.kind === 'write' ? 1 : 0;
        }
      },
      { onAction: (seen) => (action = { ...action, ...seen }) },
    );
    let refused = false;
    try {
      await guarded(call.args, {
        subject: episode,
        reason: `Recorded conversation ${episode}`,
        assertion: await this.#assertionFor(user, episode),
        links: [linkOf(desk.url, call.id)],
        idempotencyKey: attempt === 1 ? call.id : `${call.id}#${attempt}`,
      });
    } catch (error) {
      refused = error instanceof DeskRefusal && error.code === 'refused_by_tool';
      if (!refused) throw error;
    }
    if (call.kind === 'write' && action) {
      await onDone({ callId: call.id, conversation, action, refused, waitedMs });
    }
  }

  /** The airline's word on a conversation holds for ten minutes; the demo takes about two. */
  #assertionFor(user: string, conversation: string): Promise<string> {
    const known = this.#assertions.get(conversation) ?? this.#deps.desk.assertionFor(user, conversation);
    this.#assertions.set(conversation, known);
    return known;
  }
}
