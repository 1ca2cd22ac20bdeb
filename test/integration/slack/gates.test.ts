import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAlertActivities } from '../../../activities/alerts.ts';
import { raiseAlert } from '../../../src/records/alert.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import type { Message, View } from '../../fakes/slack/world.ts';
import { agentFrom, givenRelease, managerActor, RELEASE_2_YAML } from '../../support/fixtures.ts';
import { writtenLog } from '../../support/log.ts';
import { startRollout } from '../../support/start.ts';
import { ALERTS, type Desk, openDesk, SLACK_AGENT_YAML } from './support.ts';

const CHECKS = Array.from({ length: 11 }, (_, n) => `check ${n + 1}: ${'x'.repeat(90)}`);
const ROLLOUT = 'desk-2';

let desk: Desk;
let card: Message;
beforeEach(async () => {
  desk = await openDesk();
  const { services, slack } = desk;
  await givenRelease(services, agentFrom(SLACK_AGENT_YAML), RELEASE_2_YAML);
  await startRollout(services, managerActor(), {
    agent: 'desk',
    release: '2',
    reason: 'earned',
    id: ROLLOUT,
  });
  const { plan } = await rolloutById(services.db.sql, ROLLOUT);
  const steps = plan.steps.map((step) => ({ ...step, gate: { ...step.gate, checklist: CHECKS } }));
  await services.db.sql
    .updateTable('rollout')
    .set({ baseline_locked_at: services.clock.now(), plan: JSON.stringify({ ...plan, steps }) })
    .execute();
  services.clock.advance(31 * services.dayMs);
  const id = await raiseAlert(services.db.sql, 'rollout.gate', 'desk', services.clock.now(), {
    rollout: ROLLOUT,
    step: 1,
    phase: 'baseline',
    waitsFor: ['an owner approves the gate'],
    checklist: CHECKS,
  });
  await createAlertActivities({ services, slack: desk.app.port }).deliverAlert(id);
  card = await slack.nextMessage(ALERTS);
});
afterEach(() => desk[Symbol.asyncDispose]());

const record = () => rolloutById(desk.services.db.sql, ROLLOUT);
const TEN = CHECKS.slice(0, 10).map((_, n) => String(n));
const ALL = { 'checks-0': TEN, 'checks-1': ['10'] };

async function opened(button: string, user: string): Promise<View> {
  await desk.slack.click(card, button, user).ack();
  return desk.slack.nextView(user, (view) => visibleText(view).includes('Step 1 of rollout desk-2'));
}

test('Approve gate asks for every check and a reason, and counts for an owner alone', async () => {
  const { slack } = desk;
  const reason = 'all good';
  const answer = async (user: string, values: Record<string, string | string[]>) =>
    slack.submit((await opened('Approve gate', user)).id, values, user);
  expect((await answer('U0ANA', { ...ALL, reason })).errors.reason).toContain('owner');
  const missing = await answer('U0OLGA', { ...ALL, 'checks-0': TEN.slice(1), reason });
  expect(missing.errors.reason).toContain(`confirm each check of the list: ${CHECKS[0]}`);
  expect((await record()).gate_approved_by).toBeNull();
  expect(await answer('U0OLGA', { ...ALL, reason })).toMatchObject({ outcome: 'closed' });
  expect((await record()).gate_approved_by).toBe('olga');
  const told = await slack.nextMessage(ALERTS, ({ threadTs }) => threadTs === card.ts);
  expect(visibleText(told)).toContain('Approved* by olga: all good');
  const entry = await writtenLog(desk.services.db.sql)
    .select('body')
    .where('kind', '=', 'rollout.approve-gate')
    .executeTakeFirstOrThrow();
  expect(JSON.parse(entry.body).data).toMatchObject({ checklist: CHECKS, step: 1, via: 'slack' });
});

test('Reject gate pauses it with the reason; of a step that is over nothing is answered', async () => {
  const { slack, services } = desk;
  await slack.submit((await opened('Reject gate', 'U0OLGA')).id, { reason: 'too many complaints' }, 'U0OLGA');
  expect((await record()).status).toBe('paused');
  await services.db.sql.updateTable('rollout').set({ status: 'running', step_index: 1 }).execute();
  const late = await slack.submit((await opened('Reject gate', 'U0OLGA')).id, { reason: 'again' }, 'U0OLGA');
  expect(late.errors.reason).toContain('the gate of step 1 is not open any more');
  expect((await record()).status).toBe('running');
});
