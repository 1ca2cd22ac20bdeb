import type { Sql } from '../db/database.ts';

/** A posted message. */
export interface Copy {
  channel: string;
  ts: string;
}

/** The version of a copy that can never be changed again: it was deleted, or its channel is gone. */
export const COPY_GONE = 2_147_483_647;

/** The copies of a card, oldest first. */
export const copiesOf = (db: Sql, ref: string) =>
  db.selectFrom('card').selectAll().where('ref', '=', ref).orderBy('posted_at').orderBy('ts').execute();

/** The copies that people can still see, oldest first. */
export async function liveCopies(db: Sql, ref: string): Promise<Copy[]> {
  const copies = await copiesOf(db, ref);
  return copies.filter(({ revision }) => revision < COPY_GONE).map(({ channel, ts }) => ({ channel, ts }));
}

/** Direct conversations have ids of their own kind. */
export const isDirect = ({ channel }: Pick<Copy, 'channel'>): boolean => channel.startsWith('D');

/** Copies of one version count as of a later one, which says nothing else of what they show. */
export async function carryOver(db: Sql, ref: string, from: number, to: number): Promise<void> {
  await db
    .updateTable('card')
    .set({ revision: to })
    .where('ref', '=', ref)
    .where('revision', '=', from)
    .execute();
}
