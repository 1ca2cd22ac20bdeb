import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLES, type Role } from '../../../src/actor.ts';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { readLog } from '../../../src/log/read.ts';
import { sequenceLog } from '../../../src/log/sequence.ts';
import { adoptRelease } from '../../../src/releases/adopt.ts';
import { disable } from '../../../src/switches/disable.ts';
import { type Answer, call, givenApi, type TestApi } from '../../support/api.ts';
import {
  AGENT_YAML,
  actorOf,
  agentFrom,
  type GivenToken,
  givenAsked,
  givenPendingAction,
  givenRelease,
  givenToken,
  managerActor,
  onCallActor,
  RELEASE_2_YAML,
  RELEASE_YAML,
} from '../../support/fixtures.ts';
import { createTestServices } from '../../support/services.ts';
import { startRollout } from '../../support/start.ts';
import { openBrowser } from './browser.ts';
import { MATRIX, NO_ID, type Row } from './role-matrix.ts';

/** Everything of the other agent bears its name: nobody else may read it. */
const OTHER = 'outlanders';
const rows = Object.entries(MATRIX);

let api: TestApi;
/** Of the other agent. */
let ids: Record<NonNullable<Row['about']>, string>;

beforeAll(async () => {
  api = await givenApi(() => createTestServices());
  ids = await givenOutlanders(api);
});
afterAll(async () => {
  await api.app.close();
  await api.services.close();
});

async function givenOutlanders({ services }: TestApi): Promise<typeof ids> {
  const named = (yaml: string) => yaml.replaceAll('agent: desk', `agent: ${OTHER}`);
  const people = '{ olga: {}, ana: {}, outlandersBen: { name: outlandersBen }, cleo: {} }';
  const yaml = named(AGENT_YAML)
    .replace(/^people: .*$/m, `people: ${people}`)
    .replace('[ana, ben]', '[ana, outlandersBen]');
  const agent = agentFrom(yaml);
  await applyAgent(services, managerActor(), agent);
  await givenRelease(services, agent, named(RELEASE_YAML));
  const adopted = { agent: OTHER, version: '1', reason: 'outlanders adopt' };
  await adoptRelease(services, managerActor(), adopted);
  const asks = actorOf('agent', { agent: OTHER, attributes: { tier: 'gold' } });
  const { action } = await givenAsked(services, { agent: OTHER, reason: 'outlanders ask' }, asks);
  await givenRelease(services, agent, named(RELEASE_2_YAML));
  const start = { agent: OTHER, release: '2', reason: 'outlanders start' };
  const rollout = await startRollout(services, managerActor(), start);
  const now = services.clock.now();
  const later = new Date(now.getTime() + 3_600_000);
  const deputy = await createDeputy(services, actorOf('approver', { person: 'ana' }), {
    agent: OTHER,
    to: 'outlandersBen',
    startsAt: now,
    endsAt: later,
    reason: 'outlanders deputy',
  });
  const incident = `${OTHER}-incident`;
  await services.db.sql
    .insertInto('incident')
    .values({ id: incident, agent: OTHER, title: OTHER, opened_at: now, opened_by: OTHER, evidence: '{}' })
    .execute();
  const { rows: opened } = await sql<{ id: string }>`
    SELECT open_cycle_review(${rollout.id}, 'gate_passed', NULL, ${OTHER}, ${now}, 'olga') AS id`.execute(
    services.db.sql,
  );
  const followUp = `${OTHER}-follow-up`;
  await services.db.sql
    .insertInto('follow_up')
    .values({
      id: followUp,
      agent: OTHER,
      sentence: OTHER,
      done: '{"kind":"link","what":"it"}',
      state: 'proposed',
      proposed_at: now,
      proposed_by: OTHER,
    })
    .execute();
  const standing = randomUUID();
  await services.db.sql
    .insertInto('standing_approval')
    .values({
      id: standing,
      agent: OTHER,
      tool: 'cancel',
      grant_name: 'cancel',
      release: '1',
      segment: 'gold',
      arm: 'control',
      action_id: action.id,
      round: 0,
      generation: null,
      used: 0,
      ended_at: null,
      ended_because: null,
      ended_by: null,
      envelope: `"${OTHER}"`,
      max_uses: 3,
      starts_at: now,
      expires_at: later,
      created_by: 'ana',
    })
    .execute();
  const token = await givenToken(services, 'auditor', { agent: OTHER });
  await disable(services, onCallActor(), { scope: `tool/${OTHER}/refund`, reason: 'outlanders stop' });
  await givenPendingAction(services);
  while ((await sequenceLog(services.db.sql)) > 0);
  const [entry] = await readLog(services.db.sql, { agent: OTHER, limit: 1 });
  return {
    action: action.id,
    rollout: rollout.id,
    incident,
    followUp,
    cycle: opened[0]?.id ?? '',
    standing,
    deputy: deputy.id,
    token: token.id,
    entry: String(entry?.seq),
    agent: OTHER,
  };
}

/** A request of a row about something: by its id, or an agent by its name. */
function send(row: Row, as: GivenToken | undefined, about: { id: string; agent: string }): Promise<Answer> {
  const fill = (text: string) => text.replaceAll('{id}', about.id).replaceAll('{agent}', about.agent);
  const { body, line } = row;
  const yaml = typeof body === 'string';
  const sent = yaml ? body.replaceAll('agent: desk', `agent: ${about.agent}`) : JSON.stringify(body);
  return call(api.app, fill(line) as Row['line'], {
    as,
    ...(body === undefined
      ? {}
      : {
          headers: { 'content-type': yaml ? 'application/yaml' : 'application/json' },
          body: fill(sent),
        }),
  });
}

const nothingOf = ({ about }: Row) => ({ id: about === 'entry' ? '999999' : NO_ID, agent: 'desk' });

const tokenOf = (roles: readonly Role[], agent?: string) =>
  givenToken(api.services, roles, {
    ...(agent || roles.includes('agent') ? { agent: agent ?? 'desk' } : {}),
    person: roles.includes('approver') ? 'ana' : 'olga',
  });

test('every operation of the document has a row, and every row an operation', async () => {
  const { json } = await call(api.app, 'GET /openapi.json');
  const operations = Object.values(json.paths as Record<string, Record<string, { operationId: string }>>)
    .flatMap((methods) => Object.values(methods))
    .map(({ operationId }) => operationId);
  const named = new Set(rows.map(([name]) => name.split(' ')[0]));
  expect([...named].sort()).toEqual([...operations].sort());
});

describe.each(rows)('%s', (_, row) => {
  const nothing = nothingOf(row);

  test('without a token, or with an invented one', async () => {
    const expected = row.may === 'anybody' ? 200 : 401;
    expect((await send(row, undefined, nothing)).status).toBe(expected);
    const invented = { id: '', token: '', headers: { authorization: 'Bearer pct_invented' } };
    expect((await send(row, invented, nothing)).status).toBe(expected);
  });

  test('as each role alone', async () => {
    const refused = new Map<Role, boolean>();
    for (const role of ROLES) {
      const { status, json } = await send(row, await tokenOf([role]), nothing);
      refused.set(role, status === 403 && json.code === 'forbidden');
      expect(status).toBeLessThan(500);
      expect(status).not.toBe(401);
    }
    const may = ROLES.filter((role) => row.may === 'anybody' || row.may.includes(role));
    expect(ROLES.filter((role) => !refused.get(role))).toEqual(may);
  });

  test('a token of one agent reads nothing of another', async () => {
    const lists = row.line.startsWith('GET') && row.may !== 'anybody' && !row.about;
    const { text } = await send(row, await tokenOf(ROLES, 'desk'), { id: NO_ID, agent: 'desk' });
    expect(text).not.toContain(OTHER);
    // The test itself: whoever may see all sees it.
    if (lists && !BLIND.has(row.line)) {
      const all = await send(row, await tokenOf(ROLES.filter((role) => role !== 'agent')), nothing);
      expect(all.text).toContain(OTHER);
    }
  });
});

const about = rows.flatMap(([name, row]) => (row.about ? [{ name, row, about: row.about }] : []));

test.each(about)('$name: what is of another agent is as what is of nothing', async ({ row, about }) => {
  const bound = await tokenOf(ROLES, 'desk');
  const byName = about === 'agent';
  const [foreign, unknown] = byName
    ? [
        { id: NO_ID, agent: OTHER },
        { id: NO_ID, agent: 'nobody' },
      ]
    : [{ id: ids[about], agent: 'desk' }, nothingOf(row)];
  const [one, other] = [await send(row, bound, foreign), await send(row, bound, unknown)];
  const bare = ({ status, json }: Answer, { id, agent }: typeof foreign) => ({
    status,
    code: json.code,
    detail: json.detail.replaceAll(byName ? agent : id, '…'),
    details: json.details,
  });
  expect(one.status).toBeGreaterThanOrEqual(400);
  expect(bare(one, foreign)).toEqual(bare(other, unknown));
});

/** Lists that name no agent, or have nothing of theirs to show here. */
const BLIND = new Set([
  'GET /v1/incidents/mechanisms',
  'GET /v1/approvals/reviews',
  'GET /v1/approvals/stats',
  'GET /v1/autonomy',
  'GET /v1/installation',
  'GET /v1/ids/action/00000000',
  'GET /v1/ids/token/00000000',
  'GET /v1/log/verify',
  'GET /v1/log/checkpoint',
  'GET /v1/retention',
  'GET /v1/reviews',
  'GET /v1/reviews/2020-W01',
  'GET /v1/reviews/2020-W01/verify',
]);

test('the beginning of an id of another agent finds nothing', async () => {
  for (const [kind, id] of [
    ['action', ids.action],
    ['token', ids.token],
  ] as const) {
    const found = async (agent?: string) => {
      const roles: readonly Role[] = kind === 'token' ? ['admin'] : ['auditor'];
      const { status, json } = await call(api.app, `GET /v1/ids/${kind}/${id.slice(0, 18)}`, {
        as: await tokenOf(roles, agent),
      });
      return status === 404 ? json.code : json.ids;
    };
    expect(await found()).toEqual([id]);
    expect(await found('desk')).toBe('not_found');
  }
});

test.each(['/', '/actions', '/queue'])(
  'the page %s shows a token of one agent nothing of another',
  async (path) => {
    const signedIn = async (agent?: string) =>
      openBrowser(api.app, await tokenOf(['approver', 'release-manager', 'on-call', 'auditor'], agent));
    expect((await (await signedIn()).get(path)).text).toContain(OTHER);
    const page = await (await signedIn('desk')).get(path);
    expect(page.status).toBe(200);
    expect(page.text).not.toContain(OTHER);
  },
);
