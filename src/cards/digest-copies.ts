import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { ActionRow } from '../records/action.ts';
import { COPY_GONE, type Copy } from '../records/copy.ts';
import type { Services } from '../services.ts';

/** Older digests are not brought up to date any more. */
const KEPT_UP_MS = 7 * 86_400_000;

type DigestServices = Pick<Services, 'db' | 'clock'>;

/** Remembers what a digest message speaks of. */
export async function keepListed(
  { db, clock }: DigestServices,
  { channel, ts }: Copy,
  actions: readonly Pick<ActionRow, 'id'>[],
): Promise<void> {
  const listed_at = clock.now();
  await db.sql
    .insertInto('digest_item')
    .values(actions.map(({ id }) => ({ action_id: id, channel, ts, listed_at })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

const liveItems = (db: Sql) =>
  db
    .selectFrom('digest_item')
    .innerJoin('card', (join) =>
      join
        .onRef('card.channel', '=', 'digest_item.channel')
        .onRef('card.ts', '=', 'digest_item.ts')
        .on('card.revision', '<', COPY_GONE),
    );

/** The newest digest message that speaks of an action and is still there. */
export const digestOf = (db: Sql, actionId: string): Promise<(Copy & { listed_at: Date }) | undefined> =>
  liveItems(db)
    .select(['card.channel', 'card.ts', 'digest_item.listed_at'])
    .where('digest_item.action_id', '=', actionId)
    .orderBy('digest_item.listed_at', 'desc')
    .limit(1)
    .executeTakeFirst();

/** The digest messages of an agent that list what no longer waits. */
export function digestsBehind({ db, clock }: DigestServices, agent: string): Promise<Copy[]> {
  return liveItems(db.sql)
    .innerJoin('action', 'action.id', 'digest_item.action_id')
    .select(['card.channel', 'card.ts'])
    .where('action.agent', '=', agent)
    .where('digest_item.listed_at', '>', new Date(clock.now().getTime() - KEPT_UP_MS))
    .groupBy(['card.channel', 'card.ts', 'card.revision'])
    .having(sql<boolean>`count(*) FILTER (WHERE action.state = 'pending') <> card.revision`)
    .execute();
}

/** What a digest message speaks of, oldest first. */
export const listedIn = (db: Sql, { channel, ts }: Copy): Promise<ActionRow[]> =>
  db
    .selectFrom('digest_item')
    .innerJoin('action', 'action.id', 'digest_item.action_id')
    .selectAll('action')
    .where('digest_item.channel', '=', channel)
    .where('digest_item.ts', '=', ts)
    .orderBy('asked_at')
    .orderBy('id')
    .execute();

/** Remembers what a digest message says now; `undefined`: it can never be changed again. */
export async function showedListed(
  db: Sql,
  { channel, ts }: Copy,
  listed: readonly Pick<ActionRow, 'state'>[] | undefined,
): Promise<void> {
  const waiting = listed?.filter(({ state }) => state === 'pending').length;
  await db
    .updateTable('card')
    .set({ revision: waiting ?? COPY_GONE })
    .where('channel', '=', channel)
    .where('ts', '=', ts)
    .execute();
}
