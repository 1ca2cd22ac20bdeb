import { openDatabase } from '../../src/db/database.ts';
import { migrate } from '../../src/db/migrate.ts';
import { createDatabase } from './postgres.ts';

/** A database that a service can start on, for what runs outside of the tests. */
export async function createStore(serverUrl: string): Promise<string> {
  const url = await createDatabase({ url: serverUrl });
  const db = await openDatabase({ url, poolSize: 1 });
  await migrate(db);
  await db.close();
  return url;
}

/** Every column with its type, by table. */
export const COLUMNS = `SELECT table_name AS "table", json_object_agg(column_name, udt_name ORDER BY column_name) AS columns
  FROM information_schema.columns WHERE table_schema = current_schema() GROUP BY 1 ORDER BY 1`;
