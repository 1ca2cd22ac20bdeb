import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import pino from 'pino';
import { openDatabase } from '../../../src/db/database.ts';
import { startExclusive } from '../../../src/db/exclusive.ts';

/**
 * One of several processes of an installation that do the same work: notes who it is, by one statement or in a
 * transaction that takes its time. Tells its parent when it sends something out.
 */
const [url = '', way = ''] = process.argv.slice(2);
const db = await openDatabase({ url, poolSize: 2 });
const log = pino({ level: 'silent' });
startExclusive({ db, log }, 'sweeper', 20, async ({ db: held, assertHeld }) => {
  const note = (on: typeof held.sql) => sql`INSERT INTO noted (pid) VALUES (${process.pid})`.execute(on);
  if (way === 'by a statement') {
    await setTimeout(100);
    await note(held.sql);
  }
  if (way.startsWith('in a transaction')) {
    await held.sql.transaction().execute(async (tx) => {
      await note(tx);
      await setTimeout(100);
    });
  }
  if (way === 'past the store') {
    await setTimeout(100);
    await assertHeld();
    await note(db.sql);
  }
});
process.send?.('ready');
process.once('disconnect', () => process.exit(0));
