import { sql } from 'kysely';
import { expect } from 'vitest';
import type { TestServices } from '../../support/services.ts';

/** What of the business is added up: what was put in and taken out comes to what the rows say. */
async function countedBusiness({ db }: TestServices) {
  const rows = async (table: string) =>
    (
      await sql<{
        row: unknown;
      }>`SELECT to_jsonb(c) AS row FROM ${sql.table(table)} c ORDER BY c::text`.execute(db.sql)
    ).rows;
  const writes =
    await sql`SELECT * FROM business_count WHERE asked <> 0 ORDER BY business_count::text`.execute(db.sql);
  return {
    writes: writes.rows,
    tasks: await rows('business_task'),
    counts: await rows('business_task_count'),
  };
}

/** What was added up is what counting the rows anew comes to. */
export async function expectRecountedBusiness(services: TestServices): Promise<void> {
  const business = await countedBusiness(services);
  await sql`SELECT recount_business()`.execute(services.db.sql);
  expect(await countedBusiness(services)).toEqual(business);
  expect(business.tasks.length).toBeGreaterThan(1);
}
