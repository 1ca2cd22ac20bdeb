import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCardActivities } from '../../../activities/cards.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { type ReceiptClaims, shownDigest } from '../../../src/approvals/receipts/claims.ts';
import { keepCopy } from '../../../src/cards/copies.ts';
import { createSlackClient, createSlackPort } from '../../../src/cards/posting/port.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import type { Message } from '../../fakes/slack/world.ts';
import { agentActor, approverActor, givenPendingAction } from '../../support/fixtures.ts';
import { ALERTS, CHANNEL, type Desk, openDesk } from './support.ts';

const HOUR_MS = 3_600_000;
const SECOND_MS = 1_000;

let desk: Desk;
beforeAll(async () => {
  desk = await openDesk();
});
afterAll(() => desk[Symbol.asyncDispose]());

const decisions = (id: string) =>
  desk.services.db.sql.selectFrom('decision').selectAll().where('action_id', '=', id).execute();

async function refusalOf(card: Message, button: string, user: string): Promise<string> {
  await desk.slack.click(card, button, user).ack();
  return (await desk.slack.nextEphemeral(user)).text;
}

test('a click on Approve is committed, and the clicked card says who', async () => {
  const { action, card } = await desk.givenCard();
  expect(card.text.split('\n')[0]).toMatch(/^Cancel order R-1\. The guest loses the room\. Answer by /);
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  const updated = await desk.slack.nextUpdate(card);
  expect(visibleText(updated)).toContain('Approved by Ana');
  expect(updated.text).toContain('Approved by Ana');
  expect(() => desk.slack.click(updated, 'Approve', 'U0BEN')).toThrow('nobody can click');
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved', decided_by: 'person' });
  expect(await decisions(action.id)).toMatchObject([
    {
      person: 'ana',
      via: 'slack',
      identity: 'slack U0ANA/T0FAKE',
      seen_revision: 1,
      seen_digest: action.args_digest,
    },
  ]);
});

test('Deny counts at the tap; the reason is asked afterwards and reaches the row', async () => {
  const { action, card } = await desk.givenCard();
  await desk.slack.click(card, 'Deny', 'U0BEN').ack();
  const denied = await desk.slack.nextUpdate(card, (message) =>
    visibleText(message).includes('Denied by Ben'),
  );
  expect(visibleText(denied)).toContain('No reason given yet');
  expect(await desk.row(action.id)).toMatchObject({ state: 'denied', deny_reason: null });
  const modal = await desk.slack.nextView('U0BEN', (view) => visibleText(view).includes('it counts already'));
  await desk.slack.submit(modal.id, { reason: 'Wrong guest: ask <them> again' }, 'U0BEN');
  const explained = await desk.slack.nextUpdate(denied);
  expect(visibleText(explained)).toContain('Wrong guest: ask <them> again');
  expect(await desk.row(action.id)).toMatchObject({ deny_reason: 'Wrong guest: ask <them> again' });
});

test('a denial counts when its modal is closed or never opens; the reason may come later by a button', async () => {
  const { action, card } = await desk.givenCard();
  desk.slack.fail('views.open', { kind: 'error', error: 'expired_trigger_id' });
  await desk.slack.click(card, 'Deny', 'U0BEN').ack();
  const denied = await desk.slack.nextUpdate(card, (message) =>
    visibleText(message).includes('Denied by Ben'),
  );
  await desk.slack.click(denied, 'Give the reason', 'U0BEN').ack();
  const modal = await desk.slack.nextView('U0BEN');
  await desk.slack.submit(modal.id, { reason: 'Not today' }, 'U0BEN');
  expect(visibleText(await desk.slack.nextUpdate(denied))).toContain('Not today');
  expect(await desk.row(action.id)).toMatchObject({ state: 'denied', deny_reason: 'Not today' });
});

test('another person cannot give the reason of a denial', async () => {
  const { action, card } = await desk.givenCard();
  await desk.slack.click(card, 'Deny', 'U0BEN').ack();
  const denied = await desk.slack.nextUpdate(card, (message) =>
    visibleText(message).includes('Denied by Ben'),
  );
  await desk.slack.click(denied, 'Give the reason', 'U0ANA').ack();
  const modal = await desk.slack.nextView('U0ANA');
  const { outcome, errors } = await desk.slack.submit(modal.id, { reason: 'I say so' }, 'U0ANA');
  expect(outcome).toBe('errors');
  expect(errors.reason).toContain('another person denied it');
  expect(await desk.row(action.id)).toMatchObject({ deny_reason: null });
});

test('a redelivered envelope and a second click count once; who approved may still deny', async () => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  const click = desk.slack.click(card, 'Approve', 'U0ANA');
  await click.ack();
  const updated = await desk.slack.nextUpdate(card);
  expect(visibleText(updated)).toContain('1 of 2 approvals');
  await desk.slack.redeliver(click).ack();
  expect((await desk.slack.nextEphemeral('U0ANA')).text).toContain('counted already');
  expect(await refusalOf(updated, 'Approve', 'U0ANA')).toContain('counted already');
  expect(await decisions(action.id)).toHaveLength(1);
  await desk.slack.click(updated, 'Deny', 'U0ANA').ack();
  await expect.poll(async () => (await desk.row(action.id)).state).toBe('denied');
  expect(await decisions(action.id)).toMatchObject([{ person: 'ana', verdict: 'deny' }]);
});

test('two people of a quorum are both named', async () => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  const one = await desk.slack.nextUpdate(card);
  await desk.slack.click(one, 'Approve', 'U0BEN').ack();
  const both = await desk.slack.nextUpdate(one, (message) => visibleText(message).includes('Ben'));
  expect(visibleText(both)).toContain('Ana');
  expect(visibleText(both)).not.toContain('Waiting');
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved' });
});

test('the receipt proves what the clicked card said', async () => {
  const { action, card } = await desk.givenCard();
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  await desk.slack.nextUpdate(card);
  const receipt = await desk.services.db.sql
    .selectFrom('receipt')
    .selectAll()
    .where('action_id', '=', action.id)
    .executeTakeFirstOrThrow();
  const [, payload = ''] = receipt.jws.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as ReceiptClaims;
  expect(claims.shown.cardVersion).toEqual(expect.any(Number));
  const { salt, shown } = receipt;
  expect(salt && shown && shownDigest(salt, shown)).toBe(claims.shown.digest);
  expect(receipt.shown).toContain('Cancel order R-1');
  expect(receipt.shown).toContain('[Approve]');
});

test('clicks of a stranger, of another workspace and of the owner count for nothing and say why', async () => {
  const { action, card } = await desk.givenCard();
  expect(await refusalOf(card, 'Approve', 'U0MIA')).toContain('slack: U0MIA/T0FAKE');
  expect(await refusalOf(card, 'Approve', 'U0EVE')).toContain('only people of T0FAKE count');
  expect(await refusalOf(card, 'Approve', 'U0OLGA')).toContain('Not counted');
  expect(await refusalOf(card, 'Deny', 'U0CLEO')).toContain('Not counted');
  expect(visibleText(await desk.slack.nextView('U0CLEO'))).toContain('Not counted');
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending', revision: 1 });
  expect(await decisions(action.id)).toEqual([]);
});

test('a click on an expired card is too late, and is told so', async () => {
  const { action, card } = await desk.givenCard();
  desk.services.clock.advance(HOUR_MS + 1);
  expect(await refusalOf(card, 'Approve', 'U0ANA')).toContain('it expired at');
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
});

test('a click on a card that shows less than the record is told who was first', async () => {
  const { action, card } = await desk.givenCard();
  await answerAction(desk.services, approverActor('ben'), { id: action.id, verdict: 'deny' });
  expect(await refusalOf(card, 'Approve', 'U0ANA')).toContain('already denied');
});

test('a card whose post was lost on the way is found, not posted again', async () => {
  desk.slack.fail('chat.postMessage', { kind: 'hang-after' });
  const action = await givenPendingAction(desk.services);
  await expect(desk.cards.syncActionCards(action.id)).rejects.toThrow('not_reached');
  const lost = await desk.slack.nextMessage(CHANNEL, ({ text }) => text.includes(action.id));
  await desk.cards.syncActionCards(action.id);
  await desk.slack.click(lost, 'Approve', 'U0ANA').ack();
  expect(visibleText(await desk.slack.nextUpdate(lost))).toContain('Approved by Ana');
  expect(desk.slack.messages(CHANNEL).filter(({ text }) => text.includes(action.id))).toHaveLength(1);
});

test('every copy follows, also one that nobody kept', async () => {
  const { action, card } = await desk.givenCard();
  const { text, blocks } = card;
  const { ts } = await desk.app.port.post(CHANNEL, { text, blocks: blocks as never });
  const lost = await desk.slack.nextMessage(CHANNEL, (message) => message.ts === ts);
  await desk.slack.click(lost, 'Approve', 'U0ANA').ack();
  expect(visibleText(await desk.slack.nextUpdate(lost))).toContain('Approved by Ana');
  await desk.cards.syncActionCards(action.id);
  expect(visibleText(await desk.slack.nextUpdate(card))).toContain('Approved by Ana');
  await beginAction(desk.services, agentActor(), { id: action.id, executionId: 'e-1' });
  await desk.cards.syncActionCards(action.id);
  for (const copy of [lost, card])
    expect(visibleText(desk.slack.message(CHANNEL, copy.ts) ?? lost)).toContain('*Execution:* Begun');
});

test('the executed card takes a report of a wrong write', async () => {
  const { action, card } = await desk.givenCard();
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  const approved = await desk.slack.nextUpdate(card);
  await beginAction(desk.services, agentActor(), { id: action.id, executionId: 'e-1' });
  await completeAction(desk.services, agentActor(), { id: action.id, executionId: 'e-1', ok: true });
  await desk.cards.syncActionCards(action.id);
  const executed = await desk.slack.nextUpdate(approved, (message) =>
    visibleText(message).includes('Executed'),
  );
  await desk.slack.click(executed, 'Report a wrong write', 'U0CLEO').ack();
  const modal = await desk.slack.nextView('U0CLEO', (view) => visibleText(view).includes('What was wrong?'));
  await desk.slack.submit(modal.id, { reason: 'It was the other room' }, 'U0CLEO');
  await desk.slack.nextUpdate(executed, (message) =>
    visibleText(message).includes('Reported as wrong by Cleo'),
  );
  expect(await desk.row(action.id)).toMatchObject({
    corrected_by: 'cleo',
    correction_reason: 'It was the other room',
  });
});

test.each(['web', 'cli', 'api'] as const)(
  'a decision by %s shows on every copy, in channel and direct message',
  async (via) => {
    const { action, card } = await desk.givenCard();
    const channel = await desk.app.port.dm('U0ANA');
    const direct = await desk.app.port.post(channel, { text: 'old', blocks: [] });
    await keepCopy(desk.services, action.id, direct, 0);
    await answerAction(
      desk.services,
      { ...approverActor('ben'), via },
      { id: action.id, verdict: 'approve' },
    );
    const restarted = createCardActivities({
      services: desk.services,
      slack: createSlackPort(
        createSlackClient({ botToken: desk.slack.tokens.bot, apiUrl: desk.slack.url }),
        desk.services.clock,
      ),
    });
    await restarted.syncActionCards(action.id);
    for (const copy of [card, { channel, ts: direct.ts }])
      expect(visibleText(desk.slack.message(copy.channel, copy.ts) ?? card)).toContain('Approved by Ben');
  },
);

test('a card Slack does not update at once still counts; the person hears that it follows', async () => {
  const { action, card } = await desk.givenCard();
  desk.slack.fail('chat.update', { kind: 'rate-limited', retryAfter: 1 });
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  expect((await desk.slack.nextEphemeral('U0ANA')).text).toContain('The card follows');
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved' });
  desk.services.clock.advance(SECOND_MS);
  await desk.cards.syncActionCards(action.id);
  expect(visibleText(await desk.slack.nextUpdate(card))).toContain('Approved by Ana');
});

test('a deleted copy is left alone for good', async () => {
  const { action, card } = await desk.givenCard();
  await desk.app.client.chat.delete({ channel: CHANNEL, ts: card.ts });
  await answerAction(desk.services, approverActor(), { id: action.id, verdict: 'approve' });
  expect(await desk.cards.syncActionCards(action.id)).toMatchObject({ state: 'approved', final: false });
  const calls = desk.slack.calls('chat.update').length;
  await desk.cards.syncActionCards(action.id);
  expect(desk.slack.calls('chat.update')).toHaveLength(calls);
  expect(desk.slack.messages(ALERTS)).toEqual([]);
});

test('the reminder comes once, in the thread, and mentions who may answer', async () => {
  const { action, card } = await desk.givenCard();
  expect(await desk.cards.remindAction(action.id)).toBe(true);
  expect(await desk.cards.remindAction(action.id)).toBe(false);
  const reminders = desk.slack.messages(CHANNEL).filter(({ threadTs }) => threadTs === card.ts);
  expect(reminders).toHaveLength(1);
  expect(reminders[0]?.text).toMatch(/^<@U0ANA>, <@U0BEN>: still waiting/);
});

test('a redacted argument is nowhere in Slack', async () => {
  const { card } = await desk.givenCard({ args: { id: 'R-7', card: '4111-secret' } });
  expect(visibleText(card)).toContain('"card": "[redacted]"');
  expect(JSON.stringify(desk.slack.calls())).not.toContain('4111-secret');
});
