import type { Sql } from '../db/database.ts';

interface Place {
  week: string;
  version: number;
  channel: string;
}

/** Whether the charts of a page are in a channel already. */
export async function pictureWasPosted(db: Sql, { week, version, channel }: Place): Promise<boolean> {
  const row = await db
    .selectFrom('review_post')
    .select('file_id')
    .where('week', '=', week)
    .where('version', '=', version)
    .where('channel', '=', channel)
    .executeTakeFirst();
  return row !== undefined;
}

/** Keeps that they are. */
export async function picturePosted(db: Sql, place: Place, fileId: string, at: Date): Promise<void> {
  await db
    .insertInto('review_post')
    .values({ ...place, file_id: fileId, ts: null, posted_at: at })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
