import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import { dateText, link } from '../mrkdwn.ts';
import type { SlackPort } from '../port.ts';
import { type PostServices, postOnce } from '../post-once.ts';
import { type SlackMessage, section } from './message.ts';

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
  const saturation = await saturationOf(db.sql, channel, now);
  if (!saturation || saturation.lastAt.getTime() - now.getTime() <= TURN_MAX_MS) return;
  const ref = `saturation/${channel}/${Math.floor(now.getTime() / MINUTE_MS)}`;
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

/** The cards of actions that only wait for their turns: they are posted under their bare ids, all else is not. */
async function saturationOf(db: Sql, channel: string, now: Date): Promise<Saturation | undefined> {
  const { waiting, last } = await db
    .selectFrom('post')
    .select(({ fn }) => [fn.countAll<number>().as('waiting'), fn.max('due_at').as('last')])
    .where('channel', '=', channel)
    .where('due_at', '>', now)
    .where('tries', '=', 0)
    .where('problem', 'is', null)
    .where(sql<number>`position('/' IN ref)`, '=', 0)
    .executeTakeFirstOrThrow();
  return last && { waiting: Number(waiting), lastAt: last };
}
