import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { openDatabase } from '../../../src/db/database.ts';
import { call, givenApi } from '../../support/api.ts';
import { givenApprovedAction } from '../../support/fixtures.ts';
import { createStore, describeWithServices, servicesAt } from '../../support/services.ts';
import { runInTest } from '../../unit/cli/cli-io.ts';

describeWithServices('a database that answers too late', (make) => {
  test('is told as slow, not as away: the request may be sent again, and nothing of it was recorded', async () => {
    const url = await createStore();
    const services = await servicesAt(url);
    const { app, as } = await givenApi(async () => services);
    // One connection, so that all of its statements have this time.
    const hurried = await openDatabase({ url, poolSize: 1 });
    await sql`SET statement_timeout = '200ms'`.execute(hurried.sql);
    const slowApp = await createApi({ ...services, db: hurried });
    const holder = await services.db.openStop();
    await sql`BEGIN`.execute(holder.sql);
    await sql`LOCK TABLE incident IN ACCESS EXCLUSIVE MODE`.execute(holder.sql);
    const late = await call(slowApp, 'GET /v1/incidents', { as: as.auditor });
    expect(late).toMatchObject({ status: 503, json: { code: 'store_slow', retry: true } });
    expect(late.json.detail).toBe('The database took too long for this: nothing was recorded');
    expect(late.json.hint).toContain('docs/operations.md');
    expect(late.text).not.toMatch(/does not answer|statement timeout/);
    await sql`COMMIT`.execute(holder.sql);
    await holder.close();
    expect((await call(slowApp, 'GET /v1/incidents', { as: as.auditor })).status).toBe(200);
    await Promise.all([app.close(), slowApp.close()]);
    await hurried.close();
    await services.close();
  });

  test('a begin that runs out of its second has not begun, and begins when it is quick again', async () => {
    const { services, app, as } = await givenApi(make);
    const { id } = await givenApprovedAction(services);
    const begin = () =>
      call(app, `POST /v1/actions/${id}/begin`, { as: as.agent, body: { executionId: 'e-1' } });
    await sql`CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM pg_sleep(5); RETURN NEW; END $$`.execute(services.db.sql);
    await sql`CREATE TRIGGER dawdle BEFORE UPDATE ON action FOR EACH ROW EXECUTE FUNCTION dawdle()`.execute(
      services.db.sql,
    );
    expect(await begin()).toMatchObject({ status: 503, json: { code: 'store_slow', retry: true } });
    await sql`DROP TRIGGER dawdle ON action`.execute(services.db.sql);
    expect((await call(app, `GET /v1/actions/${id}`, { as: as.agent })).json.state).toBe('approved');
    expect((await begin()).status).toBe(200);
  });

  test('a gate that is held is told as what it is', async () => {
    const { services, app, as } = await givenApi(make);
    const { id } = await givenApprovedAction(services);
    const holder = await services.db.openStop();
    await sql`BEGIN`.execute(holder.sql);
    await sql`SELECT pg_advisory_xact_lock(gate_key())`.execute(holder.sql);
    const held = await call(app, `POST /v1/actions/${id}/begin`, {
      as: as.agent,
      body: { executionId: 'e-1' },
    });
    expect(held).toMatchObject({ status: 503, json: { code: 'store_slow', retry: true } });
    expect(held.json.detail).toContain('The gate is held by a change of what is in force');
    await holder.close();
  });

  test('the command line says slow, not away', async () => {
    const url = new URL(await createStore());
    url.searchParams.set('options', '-c statement_timeout=300');
    const db = await openDatabase({ url: url.href, poolSize: 1 });
    const holder = await db.openStop();
    await sql`BEGIN`.execute(holder.sql);
    await sql`LOCK TABLE token IN ACCESS EXCLUSIVE MODE`.execute(holder.sql);
    const argv = ['token', 'create', '--role', 'auditor', '--bootstrap'];
    const made = await runInTest(argv, { env: { DATABASE_URL: url.href } });
    expect(made).toMatchObject({ code: 4 });
    expect(made.err).toMatch(/^The database \S+ took too long: /);
    expect(made.err).toContain('Code: store_slow');
    await holder.close();
    await db.close();
  });
});
