import { afterEach, beforeEach, expect, test } from 'vitest';
import { createAlertActivities } from '../../../activities/alerts.ts';
import { isClassifiedTwice } from '../../../src/domain/incident/fingerprint.ts';
import { incidentById } from '../../../src/incidents/find.ts';
import { reportIncident } from '../../../src/incidents/report-one.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import type { Message } from '../../fakes/slack/world.ts';
import { managerActor, onCallActor } from '../../support/fixtures.ts';
import { ALERTS, type Desk, openDesk, SLACK_AGENT_YAML } from './support.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk({ agentYaml: SLACK_AGENT_YAML.replace('owners: [olga]', 'owners: [olga, cleo]') });
});
afterEach(() => desk[Symbol.asyncDispose]());

const alerts = () =>
  desk.services.db.sql
    .selectFrom('alert')
    .select('id')
    .where('kind', '=', 'incident.opened')
    .orderBy('created_at')
    .execute();

/** Opened until one is, or is not, of those that two people classify; its card in Slack. */
async function givenCard(twice: boolean): Promise<{ id: string; card: Message }> {
  const { services, slack } = desk;
  for (;;) {
    const title = 'Seats & <cancelled> twice';
    const row = await reportIncident(services, onCallActor(), { agent: 'desk', title, reason: 'a call' });
    const last = (await alerts()).at(-1);
    if (isClassifiedTwice(row.id) !== twice) continue;
    await createAlertActivities({ services, slack: desk.app.port }).deliverAlert(last?.id ?? '');
    return { id: row.id, card: await slack.nextMessage(ALERTS, ({ text }) => text.includes(row.id)) };
  }
}

async function classify(card: Message, user: string, mechanism: string, more = {}) {
  const { slack } = desk;
  await slack.click(card, 'Classify', user).ack();
  const view = await slack.nextView(user, (shown) => visibleText(shown).includes('around_gate'));
  const submit = () => slack.submit(view.id, { mechanism, certainty: 'suspected', ...more }, user);
  return { text: visibleText(view), submit };
}
const recorded = (id: string) => incidentById(desk.services.db.sql, managerActor(), id);

test('an incident that opens is told once, and its owner classifies it in Slack with what goes with it', async () => {
  const { slack } = desk;
  const { id, card } = await givenCard(false);
  expect(visibleText(card)).toContain('Incident: Seats & <cancelled> twice');
  // Guard: requireOwner(); ana approves, and owns nothing.
  const { submit: byAna } = await classify(card, 'U0ANA', 'wrong_call');
  expect((await byAna()).errors.mechanism).toContain('owner');
  const { submit } = await classify(card, 'U0OLGA', 'over_grant', {
    origin: 'operator',
    result: 'wrong_write',
    contributing: ['misled_approval', 'wrong_call'],
    entries: 'the first one',
  });
  // Guard: entriesIn(); what is no number is said where it stands, and nothing is recorded.
  expect((await submit()).errors.entries).toContain('Numbers of entries of the log');
  expect((await recorded(id)).state).toBe('open');
  const seen = await classify(card, 'U0OLGA', 'over_grant', {
    origin: 'operator',
    result: 'wrong_write',
    contributing: ['misled_approval', 'wrong_call'],
    entries: '1, 2',
  });
  const late = await classify(card, 'U0CLEO', 'wrong_call');
  expect(await seen.submit()).toMatchObject({ outcome: 'closed' });
  expect(await recorded(id)).toMatchObject({
    state: 'classified',
    mechanism: 'over_grant',
    certainty: 'suspected',
    origin: 'operator',
    result: 'wrong_write',
    contributing: ['misled_approval', 'wrong_call'],
    classified_by: 'olga',
  });
  const told = await slack.nextMessage(ALERTS, ({ threadTs }) => threadTs === card.ts);
  expect(visibleText(told)).toContain('Classified* by olga: over_grant, suspected');
  // Guard: the revision that the modal was opened with; two at once are not both recorded.
  expect((await late.submit()).errors.mechanism).toContain('classified by olga');
});

test('where two people classify, nobody in Slack is told what the first of them said', async () => {
  const { slack } = desk;
  const { id, card } = await givenCard(true);
  await (await classify(card, 'U0OLGA', 'over_grant')).submit();
  const told = await slack.nextMessage(ALERTS, ({ threadTs }) => threadTs === card.ts);
  expect(visibleText(told)).toContain('the second does not see what the first said');
  expect(visibleText(told)).not.toContain('over_grant');
  const { submit } = await classify(card, 'U0CLEO', 'wrong_call');
  expect(await submit()).toMatchObject({ outcome: 'closed' });
  // The second counts for the agreement alone.
  expect(await recorded(id)).toMatchObject({ mechanism: 'over_grant', classified_by: 'olga' });
});

test('of one of the past nobody is told', async () => {
  const { services } = desk;
  const past = { agent: 'desk', title: 'last year', reason: 'imported', historical: true };
  await reportIncident(services, onCallActor(), past);
  // Guard: historical in openIncident().
  expect(await alerts()).toEqual([]);
});
