import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Scope } from '../../../src/domain/scope.ts';
import { NO_SCOPES, SCOPES } from '../../support/scopes.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';

let services: TestServices;
beforeAll(async () => {
  services = await createTestServices();
});
afterAll(() => services.close());

const read = async (text: string) =>
  (
    await sql<{ scope: Scope }>`SELECT jsonb_strip_nulls(to_jsonb(read_scope(${text}))) AS scope`.execute(
      services.db.sql,
    )
  ).rows[0]?.scope;

test.each(SCOPES)('the store reads %s as the domain does', async (text, scope) => {
  expect(await read(text)).toEqual(scope);
});

test.each(NO_SCOPES)('%j is no scope for the store either, and switches nothing', async (text) => {
  await expect(read(text)).rejects.toMatchObject({ code: '22023' });
  const now = services.clock.now();
  for (const call of [
    sql`SELECT disable_switch(${text}, false, 'x', 'ana', ${now})`,
    sql`SELECT enable_switch(${text}, 'x', 'ana', ${now})`,
  ])
    await expect(call.execute(services.db.sql)).rejects.toMatchObject({ code: '22023' });
});
