import type { Sql } from '../db/database.ts';
import { COPY_GONE, copiesOf } from './copies.ts';
import type { Copy } from './posting/port.ts';

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
