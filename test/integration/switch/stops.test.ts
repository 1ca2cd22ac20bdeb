import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { statusText } from '../../../src/slack/replies.ts';
import { disable } from '../../../src/switches/disable.ts';
import { enable } from '../../../src/switches/enable.ts';
import { listDisabled } from '../../../src/switches/list.ts';
import {
  AGENT_YAML,
  agentFrom,
  approverActor,
  givenAdopted,
  managerActor,
  onCallActor,
} from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';

const scope = 'agent/desk';
let services: TestServices;
beforeEach(async () => {
  services = await createTestServices();
  await givenAdopted(services);
});
afterEach(() => services.close());

const stop = async (person: string, reason: string, reads = false) => {
  services.clock.advance(60_000);
  await disable(services, onCallActor(person), { scope, reason, reads });
  return services.clock.now();
};

test('a second stop keeps who stopped it first, when and why, and is kept beside it', async () => {
  const first = await stop('cleo', 'It mails strangers');
  const second = await stop('ana', 'And it still does', true);
  const third = await stop('cleo', 'Do not enable before Monday');
  expect(await listDisabled(services.db.sql)).toEqual([
    expect.objectContaining({
      scope,
      reads: true,
      actor: 'cleo',
      reason: 'It mails strangers',
      changed_at: first,
      later: [
        { actor: 'ana', reason: 'And it still does', at: second, reads: true },
        { actor: 'cleo', reason: 'Do not enable before Monday', at: third, reads: false },
      ],
    }),
  ]);
  const status = await statusText(services, [agentFrom(AGENT_YAML)]);
  expect(status).toMatch(
    /OFF: agent desk\* since .* by cleo: It mails strangers\n.*again .* by ana: And it still does\n.*again/,
  );
});

test('after it was enabled a stop is a first one again, and the old ones are kept', async () => {
  await stop('cleo', 'It mails strangers');
  await stop('ana', 'Again');
  await enable(services, managerActor(), { scope, reason: 'Mended' });
  expect(await listDisabled(services.db.sql)).toEqual([]);
  await stop('ben', 'Not mended');
  expect(await listDisabled(services.db.sql)).toMatchObject([
    { actor: 'ben', reason: 'Not mended', later: [] },
  ]);
  const kept = await services.db.sql.selectFrom('stop').select(['actor', 'ended_by']).orderBy('id').execute();
  expect(kept).toEqual([
    { actor: 'cleo', ended_by: 'olga' },
    { actor: 'ana', ended_by: 'olga' },
    { actor: 'ben', ended_by: null },
  ]);
});

test('stops of several scopes, and by the runbook, stand beside one another', async () => {
  await stop('cleo', 'It mails strangers');
  await sql`SELECT disable_switch('everything', false, 'fire', 'psql', ${services.clock.now()})`.execute(
    services.db.sql,
  );
  await sql`SELECT disable_switch('everything', false, 'still fire', 'psql', ${services.clock.now()})`.execute(
    services.db.sql,
  );
  await enable(services, approverActor('ana'), { scope: 'everything', reason: 'x' }).catch(() => undefined);
  const off = await listDisabled(services.db.sql);
  expect(off.map(({ scope: each, reason, later }) => [each, reason, later.length]).sort()).toEqual([
    ['agent/desk', 'It mails strangers', 0],
    ['everything', 'fire', 1],
  ]);
});
