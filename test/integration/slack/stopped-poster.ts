import { sql } from 'kysely';
import pino from 'pino';
import { createSlackClient, createSlackPort } from '../../../src/cards/posting/port.ts';
import { postAtOnce, postOnce } from '../../../src/cards/posting/post-once.ts';
import { DatabaseClock } from '../../../src/db/clock.ts';
import { openDatabase } from '../../../src/db/database.ts';

/**
 * One of two processes that post the same. Between its turn and Slack it waits for a lock of the store that its parent
 * holds, and is stopped there.
 */
const [url = '', botToken = '', apiUrl = '', way = '', ref = '', channel = ''] = process.argv.slice(2);
const db = await openDatabase({ url, poolSize: 4 });
const clock = await DatabaseClock.start(db.sql);
const services = { db, clock, publicUrl: '', dayMs: 86_400_000, log: pino({ level: 'silent' }) };
const slack = createSlackPort(createSlackClient({ botToken, apiUrl }), clock);
const post = way === 'postOnce' ? postOnce : postAtOnce;
const message = async () => {
  process.send?.('has its turn');
  await sql`SELECT pg_advisory_xact_lock(42)`.execute(db.sql);
  return { message: { text: `${ref} by the first`, blocks: [] }, version: 1 };
};
post(services, slack, { ref, channel, message }).then(
  (posting) => process.send?.({ posting }),
  (error: unknown) => process.send?.({ error: String(error) }),
);
process.once('disconnect', () => process.exit(0));
