import { sql } from 'kysely';
import type { Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import { keepCopy } from './cards/copies.ts';
import { isDirect, liveCopies } from './cards/live-copies.ts';
import type { SlackMessage } from './cards/message.ts';
import { SlackFailure } from './failure.ts';
import { reservePost } from './pacing.ts';
import type { Copy, SlackPort } from './port.ts';

/** One message that is to be posted exactly once. */
export interface Outgoing {
  /** What it is about, the same at every try. */
  ref: string;
  channel: string;
  /** Posted into the thread of this one. */
  under?: Copy;
  /** Out of turn: for what tells people that turns are long. */
  atOnce?: boolean;
  /** What to post, made when its turn has come; `undefined`: it is not needed any more. */
  message(): Promise<{ message: SlackMessage; version: number } | undefined>;
}

/** What became of a message: `waiting` until its turn comes, or its next try, with Slack's code of the last one. */
export type Posting =
  | { state: 'posted'; copy: Copy }
  | { state: 'dropped' }
  | { state: 'waiting'; at: Date; problem?: string };

export type PostServices = Pick<Services, 'db' | 'clock' | 'publicUrl' | 'dayMs'>;

/** Longer than any try takes: whoever died with a post in hand is not waited for any longer. */
const TRY_MS = 30_000;
const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** Slack may answer otherwise soon; what it answers beside these, people must mend. */
const TEMPORARY = new Set([
  'rate_limited',
  'ratelimited',
  'not_reached',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
]);

/** Whether Slack goes on refusing until people mend something: the channel, the scopes, the token. */
export const isForGood = (problem: string): boolean => !TEMPORARY.has(problem);

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
  const { ref, channel, under } = outgoing;
  const before = await copyIn(db.sql, ref, channel);
  if (before) return { state: 'posted', copy: before };
  const turn = await turnOf(services, outgoing);
  const now = clock.now();
  if (turn.due_at > now) return waiting(turn.due_at, turn.problem);
  if (!(await take(db.sql, turn, now))) return waiting(later(now, RETRY_MIN_MS), turn.problem);
  // Between the first look and the turn, another process may have posted it.
  const meanwhile = await copyIn(db.sql, ref, channel);
  const made = meanwhile ? undefined : await outgoing.message();
  if (!made) {
    await forgetPosts(db.sql, ref, channel);
    return meanwhile ? { state: 'posted', copy: meanwhile } : { state: 'dropped' };
  }
  const { message, version } = made;
  try {
    const copy = await slack.post(channel, message, under, { ref, version, maybePosted: turn.tries > 0 });
    await keepCopy(services, ref, copy, version);
    await forgetPosts(db.sql, ref, channel);
    return { state: 'posted', copy };
  } catch (error) {
    if (!(error instanceof SlackFailure)) throw error;
    return waiting(await putOff(services, turn, error), error.code);
  }
}

/** The copy of it in this channel. A channel may be named in two ways, and a message has one of them beside the direct ones. */
async function copyIn(db: Sql, ref: string, channel: string): Promise<Copy | undefined> {
  const copies = await liveCopies(db, ref);
  return copies.find((copy) => (isDirect({ channel }) ? copy.channel === channel : !isDirect(copy)));
}

/** Gives up what was to be posted about `ref`, in one channel or in all. */
export async function forgetPosts(db: Sql, ref: string, channel?: string): Promise<void> {
  let posts = db.deleteFrom('post').where('ref', '=', ref);
  if (channel !== undefined) posts = posts.where('channel', '=', channel);
  await posts.execute();
}

/** Gives up what was to be posted about an action: its card and whatever belongs to it. */
export async function forgetPostsOf(db: Sql, actionId: string): Promise<void> {
  await db
    .deleteFrom('post')
    .where((where) =>
      where.or([
        where('ref', '=', actionId),
        where(sql<boolean>`starts_with(ref, ${`${actionId}/`})`, '=', true),
      ]),
    )
    .execute();
}

interface Turn {
  channel: string;
  ref: string;
  due_at: Date;
  tries: number;
  problem: string | null;
}

const later = (at: Date, ms: number): Date => new Date(at.getTime() + ms);

const waiting = (at: Date, problem: string | null): Posting => ({
  state: 'waiting',
  at,
  ...(problem === null ? {} : { problem }),
});

/** The turn that the message has, or a new one behind all others of the channel. */
async function turnOf({ db, clock }: PostServices, { channel, ref, atOnce }: Outgoing): Promise<Turn> {
  const known = () =>
    db.sql
      .selectFrom('post')
      .selectAll()
      .where('channel', '=', channel)
      .where('ref', '=', ref)
      .executeTakeFirst();
  const before = await known();
  if (before) return before;
  const due_at = atOnce ? clock.now() : await reservePost(db.sql, clock, channel);
  const turn = { channel, ref, due_at, tries: 0, problem: null };
  await db.sql
    .insertInto('post')
    .values(turn)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await known()) ?? turn;
}

/** Takes the try for this process alone. Dying with it leaves a try of which nobody knows whether it arrived. */
async function take(db: Sql, { channel, ref, tries }: Turn, now: Date): Promise<boolean> {
  const taken = await db
    .updateTable('post')
    .set({ tries: tries + 1, due_at: later(now, TRY_MS) })
    .where('channel', '=', channel)
    .where('ref', '=', ref)
    .where('tries', '=', tries)
    .where('due_at', '<=', now)
    .executeTakeFirst();
  return taken.numUpdatedRows > 0n;
}

/** When to try again: at Slack's own word, soon and with growing waits when it did not answer, else slowly. */
async function putOff(
  { db, clock }: PostServices,
  { channel, ref, tries }: Turn,
  { code, retryAfterMs }: SlackFailure,
): Promise<Date> {
  const mayHaveArrived = !isForGood(code) && retryAfterMs === undefined;
  const growingMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** tries);
  const due_at = later(clock.now(), retryAfterMs ?? (isForGood(code) ? RETRY_MAX_MS : growingMs));
  await db.sql
    .updateTable('post')
    .set({ due_at, problem: code, tries: mayHaveArrived ? tries + 1 : tries })
    .where('channel', '=', channel)
    .where('ref', '=', ref)
    .execute();
  return due_at;
}
