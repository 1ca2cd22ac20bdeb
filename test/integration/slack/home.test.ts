import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answerAction } from '../../../src/approvals/answer.ts';
import { createDeputy } from '../../../src/approvals/deputies.ts';
import { HomeTabs } from '../../../src/slack/home-tabs.ts';
import type { ListenerDeps } from '../../../src/slack/listeners/deps.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import type { View } from '../../fakes/slack/world.ts';
import { approverActor, givenAsked, givenPendingAction } from '../../support/fixtures.ts';
import { CHANNEL, type Desk, openDesk, TEAM } from './support.ts';

const WAIT = { timeout: 5_000, interval: 20 };
const STANDING = { envelope: 'args.id == "R-1"', maxUses: 3, forMs: 3_600_000 };

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk[Symbol.asyncDispose]());

const tabOf = (user: string): View | undefined =>
  desk.slack.views().find(({ type, userId }) => type === 'home' && userId === user);

/** The person's tab once it says this. */
const tabSaying = (user: string, words: string): Promise<View> =>
  vi.waitFor(() => {
    const tab = tabOf(user);
    expect(tab && visibleText(tab)).toContain(words);
    return tab as View;
  }, WAIT);

const opened = (user: string, words: string): Promise<View> => {
  desk.slack.openHome(user);
  return tabSaying(user, words);
};

test('the queue: what I may answer now, with its page and its card, and never its arguments', async () => {
  const { action, card } = await desk.givenCard({ args: { id: 'R-1', note: 'canary-note' } });
  desk.services.clock.advance(1);
  await givenPendingAction(desk.services, { args: { id: 'R-2' }, subject: 'guest-2' });
  desk.services.clock.advance(600_000);
  const tab = await opened('U0ANA', 'Waiting for you: 2');
  const lines = visibleText(tab).split('\n');
  expect(lines[0]).toMatch(/^You are Ana of agent desk\. As of/);
  const at = lines.indexOf('*Cancel order R-1*');
  expect(lines[at + 1]).toMatch(
    /^risk medium · agent desk · segment gold · asked 10 min ago · expires .* · its card$/,
  );
  expect(lines.indexOf('*Cancel order R-2*')).toBeGreaterThan(at);
  const json = JSON.stringify(tab.blocks);
  expect(json).toContain(`http://portcullis.test/actions/${action.id}`);
  expect(json).toContain(`https://fake.slack.com/archives/${CHANNEL}/p${card.ts.replace('.', '')}`);
  expect(json).not.toContain('canary-note');
  expect(lines).toContain('Nothing of your agents waits for anybody else.');
});

test('who waits on whom: the owner sees on whom her agent waits, and answers nothing', async () => {
  await givenPendingAction(desk.services, { tool: 'refund', args: { amount: 5 } });
  const shown = visibleText(await opened('U0OLGA', 'Who is waiting on whom: 1'));
  expect(shown).toContain('Waiting for you: 0');
  expect(shown).toContain('asked just now, waits for 2 of desk (Ana, Ben)');
});

test('what I answered waits for others from then on, and is gone when it is answered', async () => {
  const { card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  await opened('U0ANA', 'Waiting for you: 1');
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  const shown = visibleText(await tabSaying('U0ANA', 'Waiting for you: 0'));
  expect(shown).toContain('waits for 1 of desk (Ben) · you have answered');
  await desk.slack.click(await desk.slack.nextUpdate(card), 'Approve', 'U0BEN').ack();
  await setTimeout(1_100);
  expect(visibleText(await opened('U0ANA', 'Who is waiting on whom: 0'))).toContain('Waiting for you: 0');
});

test('a tab is drawn at most once a second, and the last time after the last thing that happened', async () => {
  await opened('U0ANA', 'Waiting for you: 0');
  const cards = [];
  for (let n = 0; n < 5; n++)
    cards.push((await desk.givenCard({ args: { id: `R-${n}` }, subject: `guest-${n}` })).card);
  await opened('U0ANA', 'Waiting for you: 5');
  await setTimeout(1_100);
  const before = desk.slack.calls('views.publish').length;
  const from = performance.now();
  await Promise.all(cards.map((card) => desk.slack.click(card, 'Approve', 'U0ANA').ack()));
  await expect.poll(() => visibleText(tabOf('U0ANA') as View)).toContain('Waiting for you: 0');
  const seconds = (performance.now() - from) / 1_000;
  expect(desk.slack.calls('views.publish').length - before).toBeLessThanOrEqual(1 + seconds);
});

test('live grants: used, until when, and taken back with one press', async () => {
  const { id } = await givenPendingAction(desk.services);
  await answerAction(desk.services, approverActor('ana'), { id, verdict: 'approve', standing: STANDING });
  expect((await givenAsked(desk.services)).outcome).toBe('allowed');
  const tab = await opened('U0ANA', 'Approved for a while: 1');
  expect(visibleText(tab)).toContain('used 1 of 3, until');
  expect(visibleText(tab)).toContain('args.id == "R-1"');
  // Ben gave none; Olga owns the agent.
  expect(visibleText(await opened('U0BEN', 'Approved for a while: 0'))).not.toContain('Take back');
  await opened('U0OLGA', 'Approved for a while: 1');
  await desk.slack.click(tab, 'Take back', 'U0ANA').ack();
  await tabSaying('U0ANA', 'Approved for a while: 0');
  expect((await givenAsked(desk.services)).outcome).toBe('pending');
  expect(
    await desk.services.db.sql
      .selectFrom('standing_approval')
      .select(['ended_because', 'ended_by'])
      .execute(),
  ).toEqual([{ ended_because: 'revoked', ended_by: 'ana' }]);
});

test('the switch: thrown from the tab, which says so afterwards', async () => {
  const tab = await opened('U0CLEO', 'Nothing is switched off');
  await desk.slack.click(tab, 'Emergency disable', 'U0CLEO').ack();
  const modal = await desk.slack.nextView('U0CLEO', (view) => visibleText(view).includes('Agent desk'));
  await desk.slack.submit(modal.id, { scope: 'Agent desk', reason: 'The house is on fire' }, 'U0CLEO');
  await tabSaying('U0CLEO', '*OFF: agent desk*, since');
});

test('deputies in force, for me and by me', async () => {
  const endsAt = new Date(desk.services.clock.now().getTime() + 3_600_000);
  const deputy = { agent: 'desk', to: 'cleo', endsAt, reason: 'On holiday' };
  await createDeputy(desk.services, approverActor('ana'), deputy);
  const line = 'Cleo answers for Ana of desk until';
  await opened('U0ANA', line);
  await givenPendingAction(desk.services);
  expect(visibleText(await opened('U0CLEO', line))).toContain('· for Ana');
  expect(visibleText(await opened('U0BEN', 'Waiting for you: 1'))).not.toContain(line);
});

test('a stranger is told how to be added, and sees nothing else', async () => {
  await givenPendingAction(desk.services);
  const shown = visibleText(await opened('U0MIA', 'You are not known here yet'));
  expect(shown).toContain(`slack: U0MIA/${TEAM}`);
  expect(shown).not.toContain('R-1');
});

test('a database that does not answer is said, and a Slack that does not take the tab is asked again', async () => {
  const down = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const broken = {
    get sql(): never {
      throw down;
    },
  };
  const tabs = new HomeTabs({
    services: { ...desk.services, db: broken },
    slack: desk.app.port,
    client: desk.app.client,
    directory: { teamId: TEAM, user: async () => undefined },
  } as unknown as ListenerDeps);
  desk.slack.fail('views.publish', { kind: 'error', error: 'internal_error' });
  tabs.opened({ userId: 'U0BEN', teamId: TEAM }, undefined);
  const shown = visibleText(await tabSaying('U0BEN', 'The database does not answer'));
  expect(shown).toContain('Nothing begins meanwhile');
  expect(desk.slack.calls('views.publish')).toHaveLength(2);
});
