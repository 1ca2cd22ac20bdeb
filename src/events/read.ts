import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { EVENT_TOPICS, type StoredEvent } from './event.ts';

/** The number of the newest entry of the log; 0 while it is empty. */
export async function logHead(db: Sql): Promise<number> {
  const head = await db
    .selectFrom('log_entry')
    .select('seq')
    .orderBy('seq', 'desc')
    .limit(1)
    .executeTakeFirst();
  return head?.seq ?? 0;
}

/** The events with numbers above `after`, up to and with `upTo`, in order. Numbers have no gaps and never come late. */
export async function readEvents(db: Sql, after: number, upTo: number): Promise<StoredEvent[]> {
  return db
    .selectFrom('log_entry')
    .select(['seq', 'kind', 'agent', 'ref', 'body'])
    .where('seq', '>', after)
    .where('seq', '<=', upTo)
    .where(sql<string>`split_part(kind, '.', 1)`, 'in', EVENT_TOPICS)
    .orderBy('seq')
    .execute();
}
