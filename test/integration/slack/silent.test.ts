import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { listDeputies } from '../../../src/approvals/deputies.ts';
import { enable } from '../../../src/switches/enable.ts';
import { listDisabled } from '../../../src/switches/list.ts';
import type { Fault } from '../../fakes/slack/faults.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { managerActor } from '../../support/fixtures.ts';
import { CHANNEL, type Desk, openDesk, SLACK_AGENT_YAML } from './support.ts';

/** Everybody is known by e-mail alone: who they are takes a look-up. */
const BY_EMAIL = SLACK_AGENT_YAML.replace(
  /^ {2}(\w+): \{ name: (\w+), slack: .* \}$/gm,
  '  $1: { name: $2, email: $1@desk.test }',
).replace(/^slack: \{ (.*) \}$/m, 'slack: { $1, matchEmail: true }');
const SILENCES: Readonly<Record<string, Fault>> = {
  'limits look-ups': { kind: 'rate-limited', retryAfter: 120 },
  'answers 503': { kind: 'http', status: 503 },
  'does not answer': { kind: 'hang' },
  'misses a scope': { kind: 'error', error: 'missing_scope' },
};
const MANY = 50;

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk({ agentYaml: BY_EMAIL });
  for (const name of ['olga', 'ana', 'ben', 'cleo'])
    desk.slack.world.addUser({ id: `U0${name.toUpperCase()}`, email: `${name}@desk.test` });
});
afterAll(() => desk[Symbol.asyncDispose]());

async function typed(text: string, user: string): Promise<string> {
  await desk.slack.command('/portcullis', text, user, CHANNEL).ack();
  return visibleText(await desk.slack.nextEphemeral(user));
}

const off = async () =>
  (await listDisabled(desk.services.db.sql)).map(({ scope, actor }) => ({ scope, actor }));
/** What a look-up was told is believed for a minute, and a limit lasts two. */
const later = () => desk.services.clock.advance(180_000);

describe.each(Object.entries(SILENCES))('while Slack %s', (_, fault) => {
  const silent = () => desk.slack.fail('users.info', fault, MANY);
  beforeEach(later);
  afterEach(() => desk.slack.clearFaults());

  test('an approval does not count, and the person is told why and not that they are nobody', async () => {
    const { action, card } = await desk.givenCard();
    silent();
    await desk.slack.click(card, 'Approve', 'U0BEN').ack();
    const told = visibleText(await desk.slack.nextEphemeral('U0BEN'));
    expect(told).toContain('Slack did not say who you are; nothing counted; try again.');
    expect(told).not.toContain('not a person');
    expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
    desk.slack.clearFaults();
    later();
    await desk.slack.click(card, 'Approve', 'U0BEN').ack();
    await expect.poll(async () => (await desk.row(action.id)).state).toBe('approved');
  });

  test('whoever was known in the last day stops and denies', async () => {
    expect(await typed('status', 'U0CLEO')).toContain('Agent desk');
    expect(await typed('approvals', 'U0ANA')).not.toContain('did not say');
    const { action, card } = await desk.givenCard();
    later();
    silent();
    await desk.slack.click(card, 'Deny', 'U0ANA').ack();
    await expect.poll(async () => (await desk.row(action.id)).state).toBe('denied');
    expect(await typed('disable desk it burns', 'U0CLEO')).toContain('Closed: agent desk');
    expect(await off()).toEqual([{ scope: 'agent/desk', actor: 'cleo' }]);
    expect(await typed('enable desk over', 'U0OLGA')).toContain('Slack did not say who you are');
    await enable(desk.services, managerActor(), { scope: 'agent/desk', reason: 'over' });
  });

  test('whoever was not is told of the page and the CLI, and nothing is stopped', async () => {
    const { action, card } = await desk.givenCard();
    desk.services.clock.advance(25 * 3_600_000);
    silent();
    const told = await typed('disable everything it burns', 'U0CLEO');
    expect(told).toContain('portcullis disable everything --reason');
    expect(told).toContain('Open its page');
    expect(await off()).toEqual([]);
    await desk.slack.click(card, 'Deny', 'U0ANA').ack();
    const refused = visibleText(await desk.slack.nextEphemeral('U0ANA'));
    expect(refused).toContain(`portcullis approvals deny ${action.id}`);
    expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
  });
});

test('a deputy is named by handle and by mention', async () => {
  later();
  expect(await typed('deputy desk @ben 3d away', 'U0ANA')).toContain('ben answers for ana');
  expect(await typed('deputy desk @benn 3d away', 'U0ANA')).toContain('Did you mean "ben"?');
  expect(await typed('deputy desk <mailto:ben@desk.test|ben@desk.test> 2d away', 'U0ANA')).toContain(
    'ben answers for ana',
  );
  const rows = await listDeputies(desk.services, { agent: 'desk', ended: false });
  expect(rows.map(({ to_person }) => to_person)).toEqual(['ben', 'ben']);
});
