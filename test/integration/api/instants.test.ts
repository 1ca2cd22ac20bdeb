import { sql } from 'kysely';
import { beforeAll, expect, test } from 'vitest';
import { createApi } from '../../../src/api/server.ts';
import { migrate } from '../../../src/db/migrate.ts';
import { matchShifts } from '../../../src/groups/match.ts';
import { replaceMembers } from '../../../src/groups/store.ts';
import { call, givenApi, type TestApi } from '../../support/api.ts';
import { AGENT_YAML, agentFrom, givenToken } from '../../support/fixtures.ts';
import { openOldStore } from '../../support/old-store.ts';
import { describeWithServices, servicesOver } from '../../support/services.ts';

/** Well formed, and outside of the years 2000 to 2100 wherever it is noon. */
const OUTSIDE = [
  '0000-01-01T00:00:00Z',
  '0000-01-01T00:00:00+23:59',
  '0020-02-29T00:00:00+00:19',
  '1999-12-31T23:59:59.999Z',
  '2000-01-01T00:00:00+14:00',
  '2101-01-01T00:00:00Z',
  '2100-12-31T23:00:00-02:00',
  '9999-12-31T23:59:59Z',
  '9999-12-31T23:59:59-23:59',
];

interface Described {
  format?: string;
  properties?: Record<string, Described>;
}

describeWithServices('instants of requests', (make) => {
  let api: TestApi;
  const token = (expiresAt: string) =>
    call(api.app, 'POST /v1/tokens', { as: api.as.admin, body: { roles: ['auditor'], expiresAt } });
  const deputy = (times: Record<string, string>) => {
    const body = { to: 'ben', endsAt: '2026-01-02T00:00:00Z', reason: 'Away', ...times };
    return call(api.app, 'POST /v1/agents/desk/deputies', { as: api.as.ana, body });
  };

  const followUp = (verb: string, body: Record<string, string>) =>
    call(api.app, `POST /v1/follow-ups/fu-none/${verb}`, { as: api.as.olga, body });
  const incident = (times: Record<string, string>) => {
    const body = { agent: 'desk', title: 'It went wrong', reason: 'seen', ...times };
    return call(api.app, 'POST /v1/incidents', { as: api.as.cleo, body });
  };

  const sent = (from: string, to: string) => {
    const query = new URLSearchParams({ metric: 'm', release: '2', segment: 'gold', from, to });
    return call(api.app, `GET /v1/agents/desk/sent-counts?${query}`, { as: api.as.auditor });
  };

  const system = (at: string) =>
    call(api.app, `GET /v1/system?at=${encodeURIComponent(at)}`, { as: api.as.auditor });

  beforeAll(async () => {
    api = await givenApi(make);
  });

  test('every one that the API takes is known here', async () => {
    const { json } = await call(api.app, 'GET /openapi.json');
    const paths = json.paths as Record<string, Record<string, Record<string, unknown>>>;
    const taken = Object.values(paths).flatMap((methods) =>
      Object.values(methods).flatMap(({ operationId, requestBody, parameters }) => {
        const { content } = (requestBody ?? {}) as { content?: Record<string, { schema: Described }> };
        const named = Object.entries(content?.['application/json']?.schema.properties ?? {});
        const dates = named.filter(([, { format }]) => format === 'date-time').map(([name]) => name);
        const inAddress = ((parameters ?? []) as { name: string; schema: Described }[])
          .filter(({ schema }) => JSON.stringify(schema).includes('date-time'))
          .map(({ name }) => name);
        return [...dates, ...inAddress].map((name) => `${operationId} ${name}`);
      }),
    );
    expect(taken.sort()).toEqual([
      'commitFollowUp dueAt',
      'createDeputy endsAt',
      'createDeputy startsAt',
      'createToken expiresAt',
      'getSentCounts from',
      'getSentCounts to',
      'getSystem at',
      'openIncident at',
      'waiveFollowUp until',
    ]);
  });

  test.each(OUTSIDE)('%s is refused with the range, and every list answers as before', async (instant) => {
    const answers = [
      ['body.expiresAt', await token(instant)],
      ['query.from', await sent(instant, '2026-01-02T00:00:00Z')],
      ['query.to', await sent('2026-01-02T00:00:00Z', instant)],
      ['query.at', await system(instant)],
      ['body.startsAt', await deputy({ startsAt: instant })],
      ['body.endsAt', await deputy({ endsAt: instant })],
      ['body.at', await incident({ at: instant })],
      ['body.dueAt', await followUp('commit', { owner: 'olga', dueAt: instant })],
      ['body.until', await followUp('waive', { reason: 'away', until: instant })],
    ] as const;
    for (const [path, { status, json }] of answers) {
      expect({ status, code: json.code }).toEqual({ status: 400, code: 'invalid_input' });
      expect(json.details.issues).toEqual([{ path, message: expect.stringContaining('2000 to 2100') }]);
    }
    expect((await call(api.app, 'GET /v1/tokens', { as: api.as.admin })).status).toBe(200);
    const deputies = 'GET /v1/agents/desk/deputies?ended=true';
    expect((await call(api.app, deputies, { as: api.as.ana })).json).toEqual({ deputies: [] });
  });

  test('the first and the last of them are taken and shown', async () => {
    for (const instant of ['2000-01-01T00:00:00.000Z', '2100-12-31T23:59:59.999Z']) {
      const { status, json } = await token(instant);
      expect({ status, expiresAt: json.expiresAt }).toEqual({ status: 201, expiresAt: instant });
    }
    expect((await token('2026-12-24 18:00')).json.detail).toContain('2026-12-24T18:00:00Z');
    const { json } = await call(api.app, 'GET /v1/tokens', { as: api.as.admin });
    expect(JSON.stringify(json)).toContain('2100-12-31T23:59:59.999Z');
  });

  test('a cursor of any other time is no cursor', async () => {
    const id = '00000000-0000-4000-8000-000000000001';
    for (const at of ['%2B275760-09-13T00:00:00Z', '-271821-04-20T00:00:00Z', '0000-01-01T00:00:00Z']) {
      const answer = await call(api.app, `GET /v1/actions?cursor=${at}_${id}`, { as: api.as.auditor });
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_input' } });
    }
  });

  test('a shift "for ever" ends with the last of them, and the group is shown', async () => {
    const shifts = [
      { who: { name: 'ana' }, from: new Date(-62_135_596_800_001), until: new Date(253_402_300_800_000) },
    ];
    const { members } = matchShifts(agentFrom(AGENT_YAML), shifts);
    await replaceMembers(api.services.db.sql, { agent: 'desk', group: 'desk', via: 'ical' }, members);
    const { status, json } = await call(api.app, 'GET /v1/agents/desk/groups', { as: api.as.ana });
    expect({ status, members: json.groups?.[0]?.members }).toEqual({
      status: 200,
      members: [{ person: 'ana', until: '2100-12-31T23:59:59.999Z' }],
    });
  });

  test('the store takes no other one, whoever writes', async () => {
    const { db } = api.services;
    for (const at of ['0020-02-29', '0044-03-15 BC', '2101-01-01T00:00:00Z', 'infinity'])
      await expect(
        sql`UPDATE token SET expires_at = ${at}::timestamptz WHERE id = ${api.as.auditor.id}`.execute(db.sql),
      ).rejects.toThrow('token_expires_at_range');
  });
});

test('tokens of an earlier version that end at other times end at the nearest, and are listed', async () => {
  const store = await openOldStore('0002-approvals');
  const ends = ['0001-01-01 BC', '0020-02-29', '2030-01-01', '10000-01-01', 'infinity'];
  for (const [n, end] of ends.entries())
    await sql`INSERT INTO token (id, hash, roles, created_at, created_by, expires_at)
      VALUES (gen_random_uuid(), ${`h${n}`}, '{auditor}', ${`2025-01-0${n + 1}`}, 'old', ${end}::timestamptz)`.execute(
      store.db.sql,
    );
  await migrate(store.db);
  const services = await servicesOver(store, {});
  const app = await createApi(services);
  const as = await givenToken(services, 'admin');
  const { status, json } = await call(app, 'GET /v1/tokens', { as });
  const listed = json.tokens
    ?.filter(({ createdBy }: { createdBy: string }) => createdBy === 'old')
    .map(({ expiresAt }: { expiresAt: string }) => expiresAt.slice(0, 10));
  expect({ status, listed }).toEqual({
    status: 200,
    listed: ['2100-12-31', '2100-12-31', '2030-01-01', '2000-01-01', '2000-01-01'],
  });
  await app.close();
  await services.close();
});
