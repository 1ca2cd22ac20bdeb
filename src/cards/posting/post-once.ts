import type { Sql } from '../../db/database.ts';
import { type Copy, isDirect, liveCopies } from '../../records/copy.ts';
import type { Services } from '../../services.ts';
import type { SlackMessage } from '../blocks/message.ts';
import { keepCopy } from '../copies.ts';
import { SlackFailure, TAKEN_OVER } from './failure.ts';
import type { SlackPort } from './port.ts';
import {
  assertTurn,
  forgetPost,
  giveBack,
  later,
  putOff,
  RETRY_MIN_MS,
  type Turn,
  takeChannel,
  takeTurn,
  turnAtOnce,
  turnOf,
} from './turns.ts';

/** One message that is to be posted exactly once. */
export interface Outgoing {
  /** What it is about, the same at every try. */
  ref: string;
  channel: string;
  /** Posted into the thread of this one. */
  under?: Copy;
  /** Before all others that wait for their turns: for what tells people that turns are long. */
  first?: boolean;
  /** What to post, made when its turn has come; `undefined`: it is not needed any more. */
  message(): Promise<{ message: SlackMessage; version: number } | undefined>;
}

/** What became of a message: `waiting` until its turn comes, or its next try, with Slack's code of the last one. */
export type Posting =
  | { state: 'posted'; copy: Copy }
  | { state: 'dropped' }
  | { state: 'waiting'; at: Date; problem?: string };

export type PostServices = Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs'>;

/**
 * Posts when the turn of the message in its channel has come, one try for each call, and keeps the copy under `ref`.
 * What is there already is not posted again. Turn and tries are in the store: whoever calls again, also after a crash
 * or in another process, goes on from there, and what may have arrived is looked for before it is posted again.
 */
export async function postOnce(
  services: PostServices,
  slack: SlackPort,
  outgoing: Outgoing,
): Promise<Posting> {
  const { db, clock } = services;
  const { ref, channel } = outgoing;
  const before = await copyIn(db.sql, ref, channel);
  if (before) return { state: 'posted', copy: before };
  const turn = await turnOf(services, outgoing);
  const now = clock.now();
  if (turn.due_at > now) return waiting(turn.due_at, turn.problem);
  const freeAt = await takeChannel(db.sql, channel, now);
  if (freeAt) return waiting(freeAt, turn.problem);
  if (!(await takeTurn(db.sql, turn, now))) return waiting(later(now, RETRY_MIN_MS), turn.problem);
  // Between the first look and the turn, another process may have posted it.
  const meanwhile = await copyIn(db.sql, ref, channel);
  const made = meanwhile ? undefined : await outgoing.message();
  if (!made) {
    await forgetPost(db.sql, ref, channel);
    return meanwhile ? { state: 'posted', copy: meanwhile } : { state: 'dropped' };
  }
  try {
    return { state: 'posted', copy: await send(services, slack, outgoing, turn, made) };
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error;
    if (error.code === TAKEN_OVER) return waiting(later(now, RETRY_MIN_MS), turn.problem);
    return waiting(await putOff(services, turn, error), error.code);
  }
}

/**
 * The same at once, whoever waits for a turn in the channel, as alerts are posted: a try for each call, and when to try
 * again is the caller's. `undefined`: it is not needed any more.
 * @throws SlackFailure
 */
export async function postAtOnce(
  services: PostServices,
  slack: SlackPort,
  outgoing: Omit<Outgoing, 'first'>,
): Promise<Copy | undefined> {
  const { db, clock } = services;
  const { ref, channel } = outgoing;
  const before = await copyIn(db.sql, ref, channel);
  if (before) return before;
  const turn = await turnAtOnce(services, outgoing);
  if (!(await takeTurn(db.sql, turn, clock.now()))) throw new SlackFailure(TAKEN_OVER, RETRY_MIN_MS);
  const meanwhile = await copyIn(db.sql, ref, channel);
  const made = meanwhile ? undefined : await outgoing.message();
  if (!made) {
    await forgetPost(db.sql, ref, channel);
    return meanwhile;
  }
  try {
    return await send(services, slack, outgoing, turn, made);
  } catch (error) {
    if (error instanceof SlackFailure && error.code !== TAKEN_OVER)
      await giveBack(db.sql, turn, clock.now(), error);
    throw error;
  }
}

/** Sends it, unless this process stood still and another took it over, and keeps where it is. */
async function send(
  services: PostServices,
  slack: SlackPort,
  { ref, channel, under }: Omit<Outgoing, 'message'>,
  turn: Turn,
  { message, version }: { message: SlackMessage; version: number },
): Promise<Copy> {
  const copy = await slack.post(channel, message, under, {
    ref,
    version,
    maybePosted: turn.tries > 0,
    assertMine: () => assertTurn(services.db.sql, turn),
  });
  await keepCopy(services, ref, copy, version);
  await forgetPost(services.db.sql, ref, channel);
  return copy;
}

/** The copy of it in this channel. A channel may be named in two ways, and a message has one of them beside the direct ones. */
async function copyIn(db: Sql, ref: string, channel: string): Promise<Copy | undefined> {
  const copies = await liveCopies(db, ref);
  return copies.find((copy) => (isDirect({ channel }) ? copy.channel === channel : !isDirect(copy)));
}

const waiting = (at: Date, problem: string | null): Posting => ({
  state: 'waiting',
  at,
  ...(problem === null ? {} : { problem }),
});
