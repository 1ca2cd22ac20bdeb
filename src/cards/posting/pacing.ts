import { sql } from 'kysely';
import type { Clock } from '../../clock.ts';
import type { Sql } from '../../db/database.ts';

/** Slack's one post a second in a channel, with room for a clock that is a little off. */
export const POST_GAP_MS = 1_050;

/**
 * Takes a moment for one post in a channel; nobody else gets one within `POST_GAP_MS` of it, whichever process asks.
 * Whoever asks first posts first. A moment that is not used is lost: keep it, rather than asking again at every try.
 */
export async function reservePost(db: Sql, clock: Clock, channel: string): Promise<Date> {
  const { rows } = await sql<{ at: Date }>`
    SELECT reserve_post(${channel}, ${clock.now()}, ${POST_GAP_MS}) AS at
  `.execute(db);
  const [row] = rows;
  if (!row) throw new Error('reserve_post() gave no row');
  return row.at;
}
