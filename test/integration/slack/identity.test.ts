import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createUserLookup } from '../../../src/cards/posting/users.ts';
import { actorFor, actorForEverything, actorsFor } from '../../../src/slack/identity.ts';
import type { Fault } from '../../fakes/slack/faults.ts';
import { agentFrom, managerActor } from '../../support/fixtures.ts';
import { type Desk, openDesk, SLACK_AGENT_YAML, TEAM } from './support.ts';

let desk: Desk;
const user = (userId: string, teamId = TEAM, homeTeamId?: string) => ({
  userId,
  teamId,
  ...(homeTeamId ? { homeTeamId } : {}),
});
/** A directory that has asked nobody yet. */
const directory = () => ({
  teamId: TEAM,
  user: createUserLookup(desk.app.client, desk.services.clock),
  remembered: new Map<string, number>(),
});
const who = (userId: string, agent = 'desk', teamId = TEAM, homeTeamId?: string) =>
  actorFor(desk.services, directory(), user(userId, teamId, homeTeamId), agent);
const stops = { page: 'https://desk.test/actions/1', cli: 'portcullis approvals deny 1' };
/** The same for what only stops or denies. */
const whoStops = (userId: string, agent = 'shop') =>
  actorFor(desk.services, directory(), user(userId), agent, stops);

beforeAll(async () => {
  desk = await openDesk();
  const people = `people:
  olga: { name: Olga, slack: U0OLGA/${TEAM} }
  anna: { email: ana@desk.test }
  ben: { email: ben@desk.test, slack: U0OTHERBEN/${TEAM} }
  cleo: { slack: U0EVE/T0OTHER }`;
  const yaml = SLACK_AGENT_YAML.replace('agent: desk', 'agent: shop')
    .replace(/^people:[\s\S]*?(?=^slack:)/m, `${people}\n`)
    .replace(/^slack: .*$/m, 'slack: { matchEmail: true }')
    .replace('desk: [ana, ben]', 'desk: [anna, ben]');
  await applyAgent(desk.services, managerActor(), agentFrom(yaml));
});
afterAll(() => desk[Symbol.asyncDispose]());
beforeEach(() => {
  for (const id of ['U0OLGA', 'U0ANA', 'U0BEN', 'U0CLEO', 'U0MIA'])
    desk.slack.world.addUser({
      id,
      teamId: TEAM,
      deactivated: false,
      guest: false,
      email: '',
      workspaces: undefined,
    });
});

test('actorFor() finds the person by Slack user and team, with the roles of the manifest', async () => {
  expect(await who('U0ANA')).toMatchObject({
    id: 'ana',
    person: 'ana',
    roles: ['approver'],
    agent: 'desk',
    via: 'slack',
    identity: 'slack U0ANA/T0FAKE',
  });
  expect((await who('U0CLEO')).roles.toSorted()).toEqual(['approver', 'on-call']);
  expect((await who('U0OLGA')).roles.toSorted()).toEqual(['approver', 'release-manager']);
});

test('actorFor() matches by e-mail only where the agent says so, and never against a Slack id of its own', async () => {
  for (const [id, email] of [
    ['U0ANA', 'Ana@desk.test'],
    ['U0BEN', 'ben@desk.test'],
  ] as const)
    desk.slack.world.addUser({ id, email });
  expect(await who('U0ANA', 'shop')).toMatchObject({
    person: 'anna',
    identity: 'slack U0ANA/T0FAKE by e-mail',
  });
  await expect(who('U0BEN', 'shop')).rejects.toMatchObject({ code: 'forbidden' });
  expect(await who('U0ANA', 'desk')).toMatchObject({ person: 'ana', identity: 'slack U0ANA/T0FAKE' });
});

test('actorFor() refuses other workspaces even when the manifest names them, the deactivated and the unknown', async () => {
  await expect(who('U0EVE', 'shop', 'T0OTHER')).rejects.toThrow('only what comes from T0FAKE counts');
  await expect(who('U0EVE', 'shop', TEAM, 'T0OTHER')).rejects.toThrow('only people of T0FAKE count');
  await expect(who('U0MIA')).rejects.toThrow('slack: U0MIA/T0FAKE');
  await expect(who('U0ANA', 'nobody')).rejects.toMatchObject({ code: 'unknown_agent' });
  desk.slack.world.addUser({ id: 'U0BEN', deactivated: true });
  await expect(who('U0BEN')).rejects.toThrow('deactivated');
});

const SILENCES: Readonly<Record<string, Fault>> = {
  'a limit': { kind: 'rate-limited', retryAfter: 30 },
  'a 503': { kind: 'http', status: 503 },
  silence: { kind: 'hang' },
  'a missing scope': { kind: 'error', error: 'missing_scope' },
};

describe.each(Object.entries(SILENCES))('where Slack answers a look-up with %s', (_, fault) => {
  afterEach(async () => {
    desk.slack.clearFaults();
    await desk.services.db.sql.deleteFrom('slack_account').execute();
  });

  test('a person known by Slack id is that person all the same', async () => {
    desk.slack.fail('users.info', fault);
    expect(await who('U0CLEO')).toMatchObject({ person: 'cleo' });
  });

  test('a person known by e-mail is told that Slack did not say, never that they are nobody', async () => {
    desk.slack.world.addUser({ id: 'U0ANA', email: 'ana@desk.test' });
    await who('U0ANA', 'shop');
    desk.slack.fail('users.info', fault);
    await expect(who('U0ANA', 'shop')).rejects.toMatchObject({
      code: 'slack_down',
      message: 'Slack did not say who you are; nothing counted; try again',
    });
    desk.slack.fail('users.info', fault);
    await expect(actorsFor(desk.services, directory(), user('U0MIA'))).rejects.toMatchObject({
      code: 'slack_down',
    });
  });

  test('a stop or a denial goes by what Slack said in the last day, under the manifest as it is', async () => {
    desk.slack.world.addUser({ id: 'U0ANA', email: 'ana@desk.test' });
    await who('U0ANA', 'shop');
    desk.slack.fail('users.info', fault);
    expect(await whoStops('U0ANA')).toMatchObject({
      person: 'anna',
      identity: expect.stringContaining('as Slack said at'),
    });
    desk.slack.clearFaults();
    desk.slack.fail('users.info', fault);
    await expect(whoStops('U0MIA')).rejects.toMatchObject({
      code: 'slack_down',
      details: { page: stops.page, hint: expect.stringContaining(stops.cli) },
    });
  });
});

test('what Slack said is no word any more after a day, nor after it says otherwise', async () => {
  desk.slack.world.addUser({ id: 'U0ANA', email: 'ana@desk.test' });
  const silent = async () => {
    desk.slack.fail('users.info', { kind: 'http', status: 503 });
    await expect(whoStops('U0ANA')).rejects.toMatchObject({ code: 'slack_down' });
    desk.slack.clearFaults();
  };
  await who('U0ANA', 'shop');
  desk.services.clock.advance(24 * 3_600_000 + 1);
  await silent();
  await who('U0ANA', 'shop');
  desk.slack.world.addUser({ id: 'U0ANA', email: 'somebody@desk.test' });
  await expect(who('U0ANA', 'shop')).rejects.toMatchObject({ code: 'forbidden' });
  await silent();
  desk.slack.world.addUser({ id: 'U0ANA', email: 'ana@desk.test' });
  await who('U0ANA', 'shop');
  desk.slack.world.addUser({ id: 'U0ANA', deactivated: true });
  await expect(who('U0ANA', 'shop')).rejects.toThrow('deactivated');
  desk.slack.world.addUser({ id: 'U0ANA', deactivated: false });
  await silent();
});

test('in an organization one entry serves clicks and commands, wherever in it the person is at home', async () => {
  desk.slack.world.addUser({ id: 'U0CLEO', teamId: 'T0HOME', workspaces: ['T0HOME', TEAM] });
  const click = user('U0CLEO', TEAM, 'T0HOME');
  const command = user('U0CLEO', TEAM);
  for (const from of [click, command])
    expect(await actorFor(desk.services, directory(), from, 'desk')).toMatchObject({
      person: 'cleo',
      identity: `slack U0CLEO/${TEAM}`,
    });
  // Whoever is at home elsewhere counts by Slack's word alone.
  desk.slack.fail('users.info', { kind: 'http', status: 503 });
  await expect(actorFor(desk.services, directory(), click, 'desk')).rejects.toMatchObject({
    code: 'slack_down',
  });
  desk.slack.clearFaults();
  desk.slack.world.addUser({ id: 'U0CLEO', teamId: 'T0HOME', workspaces: ['T0HOME'] });
  for (const from of [click, command])
    await expect(actorFor(desk.services, directory(), from, 'desk')).rejects.toThrow(
      `of workspace T0HOME, and only people of ${TEAM} count`,
    );
  desk.slack.world.addUser({ id: 'U0MIA', teamId: 'T0HOME', workspaces: ['T0HOME', TEAM] });
  await expect(who('U0MIA', 'desk', TEAM, 'T0HOME')).rejects.toThrow(`slack: U0MIA/${TEAM}`);
});

test('a guest counts where the manifest lists the account, and never by e-mail', async () => {
  desk.slack.world.addUser({ id: 'U0OLGA', guest: true });
  expect(await who('U0OLGA')).toMatchObject({ person: 'olga' });
  desk.slack.world.addUser({ id: 'U0ANA', email: 'ana@desk.test', guest: true });
  await expect(who('U0ANA', 'shop')).rejects.toThrow(`slack: U0ANA/${TEAM}`);
});

test('actorForEverything() has the roles of all agents under one person', async () => {
  const found = await actorsFor(desk.services, directory(), user('U0OLGA'));
  expect(found.map(({ agent }) => agent.agent)).toEqual(['desk', 'shop']);
  const actor = actorForEverything(found);
  expect(actor).toMatchObject({ person: 'olga' });
  expect(actor.roles.toSorted()).toEqual(['approver', 'release-manager']);
  expect(actor.agent).toBeUndefined();
});

test('a user Slack does not know, and a bot, are nobody; who asks at once is one question to Slack', async () => {
  const lookup = createUserLookup(desk.app.client, desk.services.clock);
  expect(await lookup('U0GONE')).toMatchObject({ user: { deactivated: true, bot: false } });
  desk.slack.fail('users.info', { kind: 'rate-limited', retryAfter: 30 });
  expect(await lookup('U0ANA')).toMatchObject({ failure: { code: 'rate_limited' } });
  const calls = () => desk.slack.calls('users.info').length;
  const before = calls();
  expect(await lookup('U0ANA')).toHaveProperty('failure');
  expect(calls()).toBe(before);
  const other = createUserLookup(desk.app.client, desk.services.clock);
  await Promise.all(Array.from({ length: 20 }, () => other('U0ANA')));
  expect(calls()).toBe(before + 1);
});
