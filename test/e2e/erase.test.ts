import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { embeddedUrl } from '../../src/embedded/postgres/address.ts';
import { askBody } from '../support/api.ts';
import { type GivenToken, givenAdopted, givenToken } from '../support/fixtures.ts';
import { placesOf } from '../support/places.ts';
import { type ServiceProcess, startService, until } from '../support/service-process.ts';
import { servicesAt } from '../support/services.ts';

const CANARY = 'R-CANARY-4711';
const ADA = 'Ada Lovelace of 12 St James Square';
const ASKED = 12;

let service: ServiceProcess;
const as = {} as Record<'agent' | 'admin', GivenToken>;
const storeUrl = () => embeddedUrl(join(service.folder, '.portcullis')) ?? expect.fail('no embedded store');
const store = () => servicesAt(storeUrl(), { clock: new ManualClock(new Date()) });

/** Every file of the service but those of the database itself, whose old pages go with VACUUM and its journal. */
function filesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (path.endsWith(join('postgres', 'data'))) return [];
    const stat = statSync(path, { throwIfNoEntry: false });
    return stat?.isDirectory() ? filesOf(path) : stat?.isFile() ? [path] : [];
  });
}

/** What is in a file, of a service that runs: a journal may go between listing and reading it. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

const filesWith = (text: string) => filesOf(service.folder).filter((path) => contentOf(path).includes(text));

beforeAll(async () => {
  service = await startService({});
  const services = await store();
  await givenAdopted(services);
  as.agent = await givenToken(services, 'agent', { agent: 'desk', attributes: { tier: 'gold' } });
  as.admin = await givenToken(services, 'admin');
  await services.close();
});
afterAll(() => service?.stop());

test('an erasure whose process is killed goes on after its start, and leaves nothing in any table or file', async () => {
  for (let n = 0; n < ASKED; n++) {
    const more = { subject: ADA, args: { id: CANARY }, tool: n % 2 === 0 ? 'cancel' : 'lookup' };
    const { status } = await service.call('POST /v1/actions', { as: as.agent, body: askBody(more) });
    expect(status).toBeLessThan(300);
  }
  let id = '';
  const before = await store();
  // The workflows of what waits have begun: what they hold is in Temporal's file.
  await until('the outbox is empty', async () => {
    const { rows } = await sql`SELECT 1 FROM outbox`.execute(before.db.sql);
    return rows.length === 0;
  });
  expect(await placesOf(before, CANARY, [])).toEqual(
    expect.arrayContaining(['action_private.args', 'read_record.args']),
  );
  // It waits for the newest of them, with the others in hand: until it is killed, and the store with it.
  const waiting = before.db.sql.transaction().execute(async (tx) => {
    await sql`SELECT id FROM action ORDER BY id DESC LIMIT 1 FOR UPDATE`.execute(tx);
    const asking = service
      .call('POST /v1/agents/desk/erasures', { as: as.admin, body: { subject: ADA, reason: 'asked' } })
      .catch(() => undefined);
    const begun = () => before.db.gate.selectFrom('erasure').selectAll().executeTakeFirst();
    await until('it is kept', async () => (await begun()) !== undefined);
    await until('it waits', async () => {
      const { rows } = await sql`SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'`.execute(
        before.db.gate,
      );
      return rows.length > 0;
    });
    const kept = await begun();
    expect(kept).toMatchObject({ done_at: null, actions: 0 });
    await service.kill9();
    expect(await asking).toBeUndefined();
    id = kept?.id ?? '';
  });
  await waiting.catch((error: Error) => expect(error.message).toMatch(/onnection/));
  await before.close();

  await service.restart();
  const path = `GET /v1/agents/desk/erasures/${id}` as const;
  await until('it is done', async () => (await service.call(path, { as: as.admin })).json.state === 'done');
  expect((await service.call(path, { as: as.admin })).json).toMatchObject({
    actions: ASKED / 2,
    reads: ASKED / 2,
  });
  const after = await store();
  for (const text of [CANARY, ADA]) {
    expect([text, await placesOf(after, text, [])]).toEqual([text, []]);
    expect([text, filesWith(text)]).toEqual([text, []]);
  }
  await after.close();
  // The search finds what is there, and looks into Temporal's file too.
  expect(filesWith('governedAction').length).toBeGreaterThan(0);
});
