import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Services } from '../../src/services.ts';

/** Where `text` stands: every column that holds text or JSON, of every table but the one that may hold it. */
export async function placesOf(
  { db }: Services,
  text: string,
  except: readonly string[] = ['action_private'],
): Promise<string[]> {
  const { rows: columns } = await sql<{ table: string; column: string }>`
    SELECT table_name AS table, column_name AS column FROM information_schema.columns
    WHERE table_schema = 'public' AND NOT EXISTS (SELECT 1 FROM pg_class c WHERE c.oid = format('%I', table_name)::regclass
        AND (c.relispartition OR c.relkind = 'v')) AND data_type IN ('text', 'json', 'jsonb', 'ARRAY', 'character varying')`.execute(
    db.sql,
  );
  expect(columns.length).toBeGreaterThan(80);
  const places: string[] = [];
  for (const { table, column } of columns) {
    if (except.includes(table)) continue;
    const { rows } = await sql<{ found: boolean }>`
      SELECT EXISTS (SELECT 1 FROM ${sql.table(table)} WHERE position(${text} in ${sql.ref(column)}::text) > 0) AS found`.execute(
      db.sql,
    );
    if (rows[0]?.found) places.push(`${table}.${column}`);
  }
  return places;
}
