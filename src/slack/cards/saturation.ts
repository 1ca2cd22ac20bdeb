import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import { dateText, link } from '../mrkdwn.ts';
import type { SlackPort } from '../port.ts';
import { type PostServices, postOnce } from '../post-once.ts';
import { copiesOf } from './copies.ts';
import { COPY_GONE } from './live-copies.ts';
import { type SlackMessage, section } from './message.ts';

const MINUTE_MS = 60_000;

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
 * Tells the people of a channel that its cards wait for their turns: one message a channel and minute, out of turn. When
 * twice as many wait as it says, it is brought up to date.
 */
export async function tellSaturation(
  services: PostServices,
  slack: SlackPort,
  channel: string,
): Promise<void> {
  const { db, clock, publicUrl } = services;
  const ref = `saturation/${channel}/${Math.floor(clock.now().getTime() / MINUTE_MS)}`;
  const told = await postOnce(services, slack, {
    ref,
    channel,
    atOnce: true,
    async message() {
      const saturation = await saturationOf(db.sql, channel, clock.now());
      return saturation && { message: saturationMessage(saturation, publicUrl), version: saturation.waiting };
    },
  });
  if (told.state !== 'posted') return;
  const [said] = await copiesOf(db.sql, ref);
  const saturation = await saturationOf(db.sql, channel, clock.now());
  if (!said || said.revision === COPY_GONE || !saturation || saturation.waiting < 2 * said.revision) return;
  const mine = await db.sql
    .updateTable('card')
    .set({ revision: saturation.waiting })
    .where('ref', '=', ref)
    .where('revision', '=', said.revision)
    .executeTakeFirst();
  if (mine.numUpdatedRows > 0n) await slack.update(told.copy, saturationMessage(saturation, publicUrl));
}

/** The cards of actions, which are posted under their bare ids, and nothing else that is to be posted. */
async function saturationOf(db: Sql, channel: string, now: Date): Promise<Saturation | undefined> {
  const { waiting, last } = await db
    .selectFrom('post')
    .select(({ fn }) => [fn.countAll<number>().as('waiting'), fn.max('due_at').as('last')])
    .where('channel', '=', channel)
    .where('due_at', '>', now)
    .where(sql<number>`position('/' IN ref)`, '=', 0)
    .executeTakeFirstOrThrow();
  return last && { waiting: Number(waiting), lastAt: last };
}
