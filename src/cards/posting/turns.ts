import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import type { Services } from '../../services.ts';
import { SlackFailure, TAKEN_OVER } from './failure.ts';
import { POST_GAP_MS, reservePost } from './pacing.ts';

/** Longer than any try takes: whoever died with a post in hand is not waited for any longer. */
const TRY_MS = 30_000;
/** Between the last look at the store and what is sent: long for a look, short against a try. */
const LOOK_MAX_MS = 5_000;
export const RETRY_MIN_MS = 1_000;
const RETRY_MAX_MS = 60_000;
/** Slack's own limit: one a second in a channel. Turns lie further apart, but may come late. */
const SENT_GAP_MS = 1_000;
/** Slack may answer otherwise soon; what it answers beside these, people must mend. */
const TEMPORARY = new Set([
  'rate_limited',
  'ratelimited',
  'not_reached',
  'internal_error',
  'fatal_error',
  'service_unavailable',
  'request_timeout',
  TAKEN_OVER,
]);

/** Whether Slack goes on refusing until people mend something: the channel, the scopes, the token. */
export const isForGood = (problem: string): boolean => !TEMPORARY.has(problem);

/** When a message may be posted in a channel, and what is known of earlier tries. */
export interface Turn {
  channel: string;
  ref: string;
  due_at: Date;
  tries: number;
  problem: string | null;
}

type TurnServices = Pick<Services, 'db' | 'clock'>;

export const later = (at: Date, ms: number): Date => new Date(at.getTime() + ms);

/** It is posted, or is not needed any more. */
export async function forgetPost(db: Sql, ref: string, channel: string): Promise<void> {
  await db.deleteFrom('post').where('ref', '=', ref).where('channel', '=', channel).execute();
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

/** The turn that the message has, or a new one behind all others of the channel, or before them. */
export async function turnOf(
  services: TurnServices,
  { channel, ref, first }: { channel: string; ref: string; first?: boolean },
): Promise<Turn> {
  const { db, clock } = services;
  const known = () =>
    db.sql
      .selectFrom('post')
      .selectAll()
      .where('channel', '=', channel)
      .where('ref', '=', ref)
      .executeTakeFirst();
  const before = await known();
  if (before) return before;
  // Who adds the row is the only one to take a turn for it: turns that nobody uses are lost to everybody.
  const claim = { channel, ref, due_at: later(clock.now(), RETRY_MIN_MS), tries: 0, problem: null };
  const added = await db.sql
    .insertInto('post')
    .values(claim)
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst();
  if (!added.numInsertedOrUpdatedRows) return (await known()) ?? claim;
  const due_at = await reservePost(db.sql, clock, channel);
  await db.sql
    .updateTable('post')
    .set({ due_at })
    .where('channel', '=', channel)
    .where('ref', '=', ref)
    .where('tries', '=', 0)
    .execute();
  if (!first) return { ...claim, due_at };
  await goFirst(db.sql, { channel, ref }, clock.now());
  return (await known()) ?? { ...claim, due_at };
}

/** A turn that is now, whoever waits in the channel; another process may have it in hand. */
export async function turnAtOnce(
  { db, clock }: TurnServices,
  { channel, ref }: Pick<Turn, 'channel' | 'ref'>,
): Promise<Turn> {
  const claim = { channel, ref, due_at: clock.now(), tries: 0, problem: null };
  await db.sql
    .insertInto('post')
    .values(claim)
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  const known = await db.sql
    .selectFrom('post')
    .selectAll()
    .where('channel', '=', channel)
    .where('ref', '=', ref)
    .executeTakeFirst();
  return known ?? claim;
}

/** Takes the first of the turns to come, and gives everybody who waited before its own the next one. */
async function goFirst(db: Sql, { channel, ref }: Pick<Turn, 'channel' | 'ref'>, now: Date): Promise<void> {
  await sql`WITH waiting AS (
      SELECT ref, row_number() OVER (ORDER BY due_at, ref) AS place, lead(due_at) OVER (ORDER BY due_at, ref) AS next_at,
        min(due_at) OVER () AS first_at
      FROM post WHERE channel = ${channel} AND due_at > ${now} AND tries = 0)
    UPDATE post p SET due_at = CASE WHEN p.ref = own.ref THEN w.first_at ELSE w.next_at END
    FROM waiting w, waiting own WHERE own.ref = ${ref} AND w.place <= own.place AND p.channel = ${channel} AND p.ref = w.ref`.execute(
    db,
  );
}

/** Takes the second in which nobody else sends there. Answers when it is free, if it is not. */
export async function takeChannel(db: Sql, channel: string, now: Date): Promise<Date | undefined> {
  const taken = await db
    .updateTable('post_slot')
    .set({ last_at: now })
    .where('channel', '=', channel)
    .where((where) =>
      where.or([where('last_at', 'is', null), where('last_at', '<=', later(now, -SENT_GAP_MS))]),
    )
    .executeTakeFirst();
  if (taken.numUpdatedRows > 0n) return undefined;
  const slot = await db
    .selectFrom('post_slot')
    .select('last_at')
    .where('channel', '=', channel)
    .executeTakeFirst();
  return slot?.last_at ? later(slot.last_at, SENT_GAP_MS) : undefined;
}

/** Slack said to wait: everybody who waits for a turn in the channel goes on waiting as long, in the same order. */
async function holdChannel(db: Sql, { channel, ref }: Turn, now: Date, untilAt: Date): Promise<void> {
  const nextMs = later(untilAt, POST_GAP_MS);
  await sql`WITH hold AS (
      SELECT greatest(interval '0', ${nextMs} - min(due_at)) AS ms
      FROM post WHERE channel = ${channel} AND ref <> ${ref} AND due_at > ${now} AND tries = 0),
    held AS (
      UPDATE post p SET due_at = p.due_at + hold.ms FROM hold
      WHERE p.channel = ${channel} AND p.ref <> ${ref} AND p.due_at > ${now} AND p.tries = 0)
    UPDATE post_slot s SET next_at = greatest(${nextMs}, s.next_at + coalesce(hold.ms, interval '0'))
    FROM hold WHERE s.channel = ${channel}`.execute(db);
}

/** Takes the try for this process alone. Dying with it leaves a try of which nobody knows whether it arrived. */
export async function takeTurn(db: Sql, { channel, ref, tries }: Turn, now: Date): Promise<boolean> {
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

/**
 * Looks once more, right before it is sent, whether the try is still this process's: one that stood still for longer
 * than a try was taken over.
 * @throws SlackFailure
 */
export async function assertTurn(db: Sql, { channel, ref, tries }: Turn): Promise<void> {
  const askedMs = performance.now();
  const post = await db
    .selectFrom('post')
    .select('tries')
    .where('channel', '=', channel)
    .where('ref', '=', ref)
    .executeTakeFirst();
  if (post?.tries !== tries + 1 || performance.now() - askedMs > LOOK_MAX_MS)
    throw new SlackFailure(TAKEN_OVER, RETRY_MIN_MS);
}

/** When to try again: at Slack's own word, soon and with growing waits when it did not answer, else slowly. */
export async function putOff(
  { db, clock }: TurnServices,
  turn: Turn,
  { code, retryAfterMs }: SlackFailure,
): Promise<Date> {
  const now = clock.now();
  const growingMs = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** turn.tries);
  const due_at = later(now, retryAfterMs ?? (isForGood(code) ? RETRY_MAX_MS : growingMs));
  if (retryAfterMs !== undefined) await holdChannel(db.sql, turn, now, due_at);
  await giveBack(db.sql, turn, due_at, { code, retryAfterMs });
  return due_at;
}

/** The try is over, and failed: the next one is due then. Whether it arrived may be unknown. */
export async function giveBack(
  db: Sql,
  { channel, ref, tries }: Turn,
  due_at: Date,
  { code, retryAfterMs }: Pick<SlackFailure, 'code' | 'retryAfterMs'>,
): Promise<void> {
  const mayHaveArrived = !isForGood(code) && retryAfterMs === undefined;
  await db
    .updateTable('post')
    .set({ due_at, problem: code, tries: mayHaveArrived ? tries + 1 : tries })
    .where('channel', '=', channel)
    .where('ref', '=', ref)
    .execute();
}
