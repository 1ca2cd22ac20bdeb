import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAlertActivities } from '../../../activities/alerts.ts';
import { raiseAlert } from '../../../src/records/alert.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { agentFrom, givenRelease, managerActor, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { givenReviewed } from '../../support/reviews.ts';
import { startRollout } from '../../support/start.ts';
import { ALERTS, CHANNEL, type Desk, openDesk, SLACK_AGENT_YAML } from './support.ts';

const ROLLOUT = 'desk-2';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
  await givenRelease(desk.services, agentFrom(SLACK_AGENT_YAML), RELEASE_2_YAML);
  await startRollout(desk.services, managerActor(), {
    agent: 'desk',
    release: '2',
    reason: 'earned',
    id: ROLLOUT,
  });
  await desk.services.db.sql
    .updateTable('rollout_segment')
    .set({ state: 'exposed', exposure: 5_000 })
    .where('segment', '=', 'gold')
    .execute();
});
afterEach(() => desk[Symbol.asyncDispose]());

async function typed(text: string, user: string): Promise<string> {
  await desk.slack.command('/portcullis', text, user, CHANNEL).ack();
  return visibleText(await desk.slack.nextEphemeral(user));
}

const gold = async () =>
  (await rolloutStatus(desk.services, ROLLOUT)).segments.find(({ segment }) => segment === 'gold')?.state;

test('status, pause, resume and rollback of a segment by command', async () => {
  expect(await typed('status desk', 'U0ANA')).toContain('Rollout desk-2 of release 2: running');
  expect(await typed('pause desk lunch', 'U0CLEO')).toContain('paused');
  expect(await typed('resume desk back', 'U0CLEO')).toContain('Not counted');
  expect(await typed('resume desk back', 'U0OLGA')).toContain('running');
  expect(await typed('rollback desk gold wrong rooms', 'U0ANA')).toContain('Not counted');
  expect(await gold()).toBe('exposed');
  expect(await typed('rollback desk gold wrong rooms', 'U0CLEO')).toContain('gold is back on release 1');
  expect(await gold()).toBe('rolled_back');
});

/** In force for gold, and watched no more. */
async function givenWatchOver(): Promise<void> {
  const { sql } = desk.services.db;
  const at = desk.services.clock.now();
  const over = { status: 'completed', ended_at: at, watch_until: at, watch_ended_at: at } as const;
  await sql.updateTable('rollout').set(over).where('id', '=', ROLLOUT).execute();
  await sql.updateTable('in_force').set({ release: '2' }).where('segment', '=', 'gold').execute();
  await desk.services.worlds.forget('desk', Number.MAX_SAFE_INTEGER);
}

test('after its watch a release is found by command, and the cards of what was asked since are closed', async () => {
  await givenWatchOver();
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  expect(action).toMatchObject({ release: '2', rollout_id: null });
  expect(await typed('status desk', 'U0CLEO')).toMatch(
    /Rollout desk-2 of release 2: completed.*watched no more/,
  );
  expect(await typed('rollback desk gold wrong rooms', 'U0CLEO')).toContain('gold is back on release 1');
  expect(await desk.row(action.id)).toMatchObject({ state: 'superseded', superseded_because: 'rolled_back' });
  await desk.cards.syncActionCards(action.id);
  expect(visibleText(await desk.slack.nextUpdate(card))).toContain('rolled back');
  expect(await typed('rollback desk gold wrong rooms', 'U0CLEO')).toContain('has no rollout to rollback');
});

test('a rollout is named by its id where the agent alone means another one', async () => {
  await givenWatchOver();
  await givenRelease(
    desk.services,
    agentFrom(SLACK_AGENT_YAML),
    RELEASE_2_YAML.replace('release: 2', 'release: 3'),
  );
  await givenReviewed(desk.services);
  await startRollout(desk.services, managerActor(), {
    agent: 'desk',
    release: '3',
    reason: 'more',
    id: 'desk-3',
  });
  expect(await typed('status desk', 'U0CLEO')).toContain('Can be rolled back by its id: desk-2 (release 2)');
  expect(await typed('rollback desk gold too early', 'U0CLEO')).toContain('rollout desk-3');
  const twice = await typed('rollback desk gold too early', 'U0CLEO');
  expect(twice).toContain('rollout desk-3: gold is rolled back already');
  expect(twice).toContain('desk-2 (release 2)');
  expect(await typed('rollback desk-2 gold wrong rooms', 'U0ANA')).toContain('Not counted');
  expect(await typed('rollback desk-2 gold wrong rooms', 'U0CLEO')).toContain('gold is back on release 1');
});

test('Roll back segment on an alert does it for the segment the alert is about', async () => {
  const { sql } = desk.services.db;
  const id = await raiseAlert(sql, 'rollout.held', 'desk', desk.services.clock.now(), {
    rollout: ROLLOUT,
    segment: 'gold',
  });
  await createAlertActivities({ services: desk.services, slack: desk.app.port }).deliverAlert(id);
  const card = await desk.slack.nextMessage(ALERTS);
  await desk.slack.click(card, 'Roll back segment', 'U0ANA').ack();
  expect((await desk.slack.nextEphemeral('U0ANA')).text).toContain('Not counted');
  await desk.slack.click(card, 'Roll back segment', 'U0CLEO').ack();
  const told = await desk.slack.nextMessage(ALERTS, ({ threadTs }) => threadTs === card.ts);
  expect(visibleText(told)).toContain('Rolled back* by cleo');
  expect(await gold()).toBe('rolled_back');
  await desk.slack.click(card, 'Roll back segment', 'U0CLEO').ack();
  expect((await desk.slack.nextEphemeral('U0CLEO')).text).toContain('Nothing changed');
});
