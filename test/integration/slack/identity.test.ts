import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyAgent } from '../../../src/agents/apply.ts';
import { createUserLookup } from '../../../src/cards/posting/users.ts';
import { actorFor, actorForEverything, actorsFor } from '../../../src/slack/identity.ts';
import { agentFrom, managerActor } from '../../support/fixtures.ts';
import { type Desk, openDesk, SLACK_AGENT_YAML, TEAM } from './support.ts';

let desk: Desk;
const user = (userId: string, teamId = TEAM) => ({ userId, teamId });
/** A directory that has asked nobody yet. */
const directory = () => ({ teamId: TEAM, user: createUserLookup(desk.app.client, desk.services.clock) });
const who = (userId: string, agent = 'desk', teamId = TEAM) =>
  actorFor(desk.services, directory(), user(userId, teamId), agent);

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
  await expect(who('U0EVE', 'shop', 'T0OTHER')).rejects.toThrow('only people of T0FAKE count');
  await expect(who('U0MIA')).rejects.toThrow('slack: U0MIA/T0FAKE');
  await expect(who('U0ANA', 'nobody')).rejects.toMatchObject({ code: 'unknown_agent' });
  desk.slack.world.addUser({ id: 'U0BEN', deactivated: true });
  await expect(who('U0BEN')).rejects.toThrow('deactivated');
});

test('actorFor() needs no answer of Slack for a person known by Slack id, and one for an e-mail', async () => {
  desk.slack.fail('users.info', { kind: 'http', status: 503 }, 2);
  expect(await who('U0CLEO')).toMatchObject({ person: 'cleo' });
  await expect(who('U0ANA', 'shop')).rejects.toMatchObject({ code: 'forbidden' });
  desk.slack.clearFaults();
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
  expect(await lookup('U0GONE')).toEqual({ deactivated: true, bot: false });
  desk.slack.fail('users.info', { kind: 'rate-limited', retryAfter: 30 });
  expect(await lookup('U0ANA')).toBeUndefined();
  const calls = () => desk.slack.calls('users.info').length;
  const before = calls();
  expect(await lookup('U0ANA')).toBeUndefined();
  expect(calls()).toBe(before);
  const other = createUserLookup(desk.app.client, desk.services.clock);
  await Promise.all(Array.from({ length: 20 }, () => other('U0ANA')));
  expect(calls()).toBe(before + 1);
});
