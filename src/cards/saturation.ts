import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { type SlackMessage, section } from './blocks/message.ts';
import { dateText, link } from './blocks/mrkdwn.ts';
import type { SlackPort } from './posting/port.ts';
import { type PostServices, postOnce } from './posting/post-once.ts';
import { forgetPost } from './posting/turns.ts';

const NOTICE = 'saturation/';
const MINUTE_MS = 60_000;
/** Longer turns than this are told at once. */
const TURN_MAX_MS = 30_000;

/** How many requests wait for their turn in a channel, and when the last one's comes. */
export interface Saturation {
  waiting: number;
  lastAt: Date;
}

/** Says that cards come slowly here, and where they can be answered now. */
export function saturationMessage({ waiting, lastAt }: Saturation, publicUrl: string): SlackMessage {
  const queue = link(`${publicUrl.replace(/\/+$/, '')}/queue`, 'the queue page');
  const text = `*${waiting} requests wait to be posted here*, the last at ${dateText(lastAt)}: Slack takes about one a second. Answer them on ${queue} now.`;
  return { text, blocks: [section('saturation', text)] };
}

/**
 * Tells the people of a channel that its cards wait long for their turns: one message a channel and minute, before all
 * others. When twice as many wait as it says, it is brought up to date. Whoever posts in the channel calls it.
 */
export async function tellSaturation(
  services: PostServices,
  slack: SlackPort,
  channel: string,
): Promise<void> {
  const { db, clock, publicUrl } = services;
  const now = clock.now();
  const { saturation, notices } = await waitingIn(db.sql, channel, now);
  const isLong = saturation !== undefined && saturation.lastAt.getTime() - now.getTime() > TURN_MAX_MS;
  const ref = `${NOTICE}${channel}/${Math.floor(now.getTime() / MINUTE_MS)}`;
  // The turn of a notice may come when its minute, or the wait that it was to tell of, is over.
  for (const old of notices) if (!isLong || old !== ref) await forgetPost(db.sql, old, channel);
  if (!isLong) return;
  const message = saturationMessage(saturation, publicUrl);
  const posting = await postOnce(services, slack, {
    ref,
    channel,
    first: true,
    message: async () => ({ message, version: saturation.waiting }),
  });
  if (posting.state !== 'posted') return;
  const isMuchMore = await db.sql
    .updateTable('card')
    .set({ revision: saturation.waiting })
    .where('ref', '=', ref)
    .where(sql<number>`revision * 2`, '<=', saturation.waiting)
    .executeTakeFirst();
  if (isMuchMore.numUpdatedRows > 0n) await slack.update(posting.copy, message);
}

/**
 * The cards that only wait for their turns, which are posted under their bare ids as nothing else is, and the notices
 * whose turns have come.
 */
async function waitingIn(
  db: Sql,
  channel: string,
  now: Date,
): Promise<{ saturation: Saturation | undefined; notices: string[] }> {
  const { rows } = await sql<{ waiting: number; lastAt: Date | null; notices: string[] | null }>`
    SELECT count(*) FILTER (WHERE is_card)::int AS waiting, max(due_at) FILTER (WHERE is_card) AS "lastAt",
      array_agg(ref) FILTER (WHERE starts_with(ref, ${NOTICE}) AND due_at <= ${now}) AS notices
    FROM post, LATERAL (SELECT due_at > ${now} AND tries = 0 AND problem IS NULL AND position('/' IN ref) = 0) AS kind (is_card)
    WHERE channel = ${channel}`.execute(db);
  const { waiting = 0, lastAt = null, notices = null } = rows[0] ?? {};
  return { saturation: lastAt ? { waiting, lastAt } : undefined, notices: notices ?? [] };
}
