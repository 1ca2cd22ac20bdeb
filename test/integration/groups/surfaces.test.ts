import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startGroups } from '../../../src/background.ts';
import { createSources } from '../../../src/groups/sources.ts';
import { FAKE_PAGERDUTY_TOKEN, type FakePagerDuty, openFakePagerDuty } from '../../fakes/pagerduty.ts';
import { givenAgent, givenToken } from '../../support/fixtures.ts';
import { openWebServer } from '../../support/web-server.ts';
import { tooLong } from '../../unit/cli/cli-io.ts';
import { calendar, entry } from '../../unit/groups/calendars.ts';
import { type CliHarness, startCliHarness } from '../cli/harness.ts';
import { agentWith, HOUR_MS } from './support.ts';

let cli: CliHarness;
let pagerduty: FakePagerDuty;
let web: Awaited<ReturnType<typeof openWebServer>>;

/** The clock stands at 2026-01-01T00:00:00Z. */
const SHIFT = ['DTSTART:20251231T200000Z', 'DTEND:20260101T060000Z'];
const ROTA = calendar(entry('SUMMARY:Ben', ...SHIFT), entry('SUMMARY:Somebody else', ...SHIFT));

beforeAll(async () => {
  cli = await startCliHarness();
  pagerduty = await openFakePagerDuty();
  web = await openWebServer((_, response) => void response.end(ROTA));
});
afterAll(async () => {
  await cli.close();
  await pagerduty[Symbol.asyncDispose]();
  await web[Symbol.asyncDispose]();
});

/** Every kind of group; `desk` lists its people. */
const everyKind = (): string =>
  agentWith('[ana]').replace(
    '{ desk: [ana] }',
    `
  desk: [ana]
  leads: { slackGroup: S0LEADS, staleAfter: 3m }
  oncall: { schedule: { pagerduty: PDESK } }
  rota: { schedule: { ical: "${web.url}/secret-path.ics" } }
  file: { schedule: { ical: rota.ics } }`,
  );

const sources = () =>
  createSources({
    pagerduty: { token: FAKE_PAGERDUTY_TOKEN, apiUrl: pagerduty.url },
    dataFolder: cli.cwd,
  });

interface Answer {
  groups: { group: string; members: { person: string }[]; error?: string; stale: boolean }[];
}
const listed = async () => (await cli.run('group', 'list', 'desk', '--output', 'json')).json<Answer>();
interface Checks {
  checks: { name: string; state: string; detail: string }[];
}
const doctor = async () => {
  const { checks } = (await cli.run('doctor', '--output', 'json')).json<Checks>();
  return checks
    .filter(({ name }) => name.includes('group'))
    .map(({ name, state, detail }) => `${state} ${name}: ${detail}`);
};

test('every kind of group is read by the loop and shown by the API, the command and doctor', async () => {
  expect(await doctor()).toEqual([]);
  writeFileSync(join(cli.cwd, 'rota.ics'), ROTA);
  pagerduty.oncalls = [{ schedule: 'PDESK', email: 'ana@example.org', end: '2026-01-01T08:00:00Z' }];
  await givenAgent(cli.services, everyKind());
  const before = await doctor();
  expect(before).toHaveLength(4);
  expect(before[1]).toMatch(
    /^fail group leads of desk: is stale, nobody of it may approve: it was not read yet/,
  );
  const loop = startGroups(cli.services, sources(), async () => []);
  await expect.poll(async () => (await listed()).groups.filter(({ stale }) => !stale)).toHaveLength(4);
  await loop.stop();
  expect((await listed()).groups).toEqual([
    { group: 'desk', source: 'manifest', members: [{ person: 'ana' }], stale: false, unknown: [] },
    expect.objectContaining({
      group: 'file',
      id: 'rota.ics',
      members: [{ person: 'ben', until: '2026-01-01T06:00:00.000Z' }],
    }),
    {
      group: 'leads',
      source: 'slack',
      id: 'S0LEADS',
      members: [],
      stale: true,
      error: expect.stringContaining('SLACK_BOT_TOKEN'),
      unknown: [],
    },
    expect.objectContaining({
      group: 'oncall',
      source: 'pagerduty',
      id: 'PDESK',
      members: [{ person: 'ana', until: '2026-01-01T08:00:00.000Z' }],
      freshUntil: '2026-01-01T01:00:00.000Z',
    }),
    expect.objectContaining({
      group: 'rota',
      source: 'ical',
      id: new URL(web.url).host,
      members: [{ person: 'ben', until: '2026-01-01T06:00:00.000Z' }],
      unknown: ['Somebody else'],
    }),
  ]);
  const { out } = await cli.run('group', 'list', 'desk');
  expect(tooLong(out)).toEqual([]);
  expect(out).not.toContain('secret-path');
  expect(out).toMatch(/leads +slack S0LEADS +nobody +STALE: nobody\s+counts/);
  expect(out).toMatch(/rota\n {2}- named there, and not counted: Somebody else/);
  expect(out).toMatch(/leads\n {2}- could not be read: Slack is not set up/);
});

test('doctor tells what is stale, what failed, who is missing, and that all is well', async () => {
  expect(await doctor()).toEqual([
    'warn group file of desk: names some who do not count: Somebody else',
    expect.stringMatching(
      /^fail group leads of desk: is stale, nobody of it may approve: Slack is not set up/,
    ),
    'warn group rota of desk: names some who do not count: Somebody else',
  ]);
  pagerduty.faults = [{ status: 503 }];
  cli.services.clock.advance(10 * 60_000);
  const loop = startGroups(cli.services, sources(), async () => []);
  await expect
    .poll(doctor)
    .toContainEqual(
      expect.stringMatching(
        /^warn group oncall of desk: could not be read the last time: PagerDuty answered 503/,
      ),
    );
  cli.services.clock.advance(8 * HOUR_MS);
  await loop.stop();
  await givenAgent(cli.services, agentWith('{ schedule: { pagerduty: PDESK } }'));
  const empty = startGroups(cli.services, sources(), async () => []);
  await expect.poll(doctor).toEqual(['warn group desk of desk: nobody is in it now']);
  await empty.stop();
  pagerduty.oncalls = [{ schedule: 'PDESK', email: 'ana@example.org' }];
  cli.services.clock.advance(10 * 60_000);
  const full = startGroups(cli.services, sources(), async () => []);
  await expect
    .poll(doctor)
    .toEqual(['ok approver groups: from Slack or a schedule: one group was read, with somebody in it now']);
  await full.stop();
  expect(tooLong((await cli.run('doctor')).out)).toEqual([]);
});

test('another agent’s token does not see the groups, and an agent that is not there has none', async () => {
  const get = async (path: string, headers: Record<string, string>) =>
    (await fetch(cli.url + path, { headers })).status;
  const other = await givenToken(cli.services, 'agent', { agent: 'till' });
  const own = await givenToken(cli.services, 'agent', { agent: 'desk' });
  const admin = await givenToken(cli.services, 'admin');
  const path = '/v1/agents/desk/groups';
  expect(await get(path, other.headers)).toBe(403);
  expect(await get(path, admin.headers)).toBe(403);
  expect(await get(path, {})).toBe(401);
  expect(await get(path, own.headers)).toBe(200);
  expect(await get('/v1/agents/nobody/groups', (await givenToken(cli.services, 'auditor')).headers)).toBe(
    404,
  );
});
