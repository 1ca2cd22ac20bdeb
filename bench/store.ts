import { openDatabase } from '../src/db/database.ts';
import { migrate } from '../src/db/migrate.ts';
import { createDatabase } from '../test/support/postgres.ts';

/** A database that a service can start on. */
export async function createStore(serverUrl: string): Promise<string> {
  const url = await createDatabase({ url: serverUrl });
  const db = await openDatabase({ url, poolSize: 1 });
  await migrate(db);
  await db.close();
  return url;
}
