import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { editAction } from '../../../src/approvals/edit.ts';
import { BUTTON, VALUE } from '../../../src/cards/blocks/buttons.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { approverActor } from '../../support/fixtures.ts';
import { decisionsOf, openApprovalsDesk, openForm, shownIn } from './approvals-desk.ts';
import { CHANNEL, type Desk } from './support.ts';

const NOTE = { tool: 'note', args: { text: 'hello' } };
const ENTRY = 'Approve with a reason';

let desk: Desk;
beforeAll(async () => {
  desk = await openApprovalsDesk({
    cancel: '{ group: desk, reason: required }',
    file: '{ group: desk, slackApproves: none }',
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

test('where the release wants a reason, Approve asks for it and counts when it is given', async () => {
  const { action, card } = await desk.givenCard();
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  const form = await desk.slack.nextView('U0ANA', (view) => visibleText(view).includes('Cancel order R-1'));
  await expect(desk.slack.submit(form.id, {}, 'U0ANA')).rejects.toThrow('left empty');
  const blank = await desk.slack.submit(form.id, { reason: '   ' }, 'U0ANA');
  expect(blank).toMatchObject({ outcome: 'errors', errors: { reason: expect.stringContaining('Say why') } });
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
  const { outcome } = await desk.slack.submit(form.id, { reason: 'The guest wrote so' }, 'U0ANA');
  expect(outcome).toBe('closed');
  await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Ana'));
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved' });
  expect(await decisionsOf(desk, action)).toMatchObject([{ person: 'ana', reason: 'The guest wrote so' }]);
});

test('a reason may be given where none is wanted, from the menu, and may be left out there', async () => {
  const { action, card } = await desk.givenCard(NOTE);
  const form = await openForm(desk, card, [ENTRY, 'U0BEN'], 'Note hello');
  expect((await desk.slack.submit(form.id, {}, 'U0BEN')).outcome).toBe('closed');
  await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Ben'));
  expect(await decisionsOf(desk, action)).toMatchObject([{ person: 'ben', reason: null }]);
});

test('the receipt names the version of the card whose menu was used', async () => {
  const { action, card } = await desk.givenCard(NOTE);
  const form = await openForm(desk, card, [ENTRY, 'U0ANA'], 'Note hello');
  await desk.slack.submit(form.id, { reason: 'fine' }, 'U0ANA');
  const { shown } = await desk.services.db.sql
    .selectFrom('receipt')
    .select('shown')
    .where('action_id', '=', action.id)
    .executeTakeFirstOrThrow();
  expect(shown).toContain('[Approve with a reason]');
});

test('what changed while the form was open is not approved, and the form says so', async () => {
  const { action, card } = await desk.givenCard(NOTE);
  const form = await openForm(desk, card, [ENTRY, 'U0ANA'], 'Note hello');
  const { args_digest: digest, revision } = action;
  const edit = { id: action.id, args: { text: 'other' }, digest, revision };
  await editAction(desk.services, approverActor('ben'), edit);
  const { outcome } = await desk.slack.submit(form.id, { reason: 'as seen' }, 'U0ANA');
  expect(outcome).toBe('update');
  expect(await shownIn(desk, form)).toMatch(/Not counted[\s\S]*arguments shown are not those/);
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending', round: 1 });
  expect(await decisionsOf(desk, action)).toEqual([]);
});

test('a form does not open for what was answered, for strangers, nor past the release', async () => {
  const { action, card } = await desk.givenCard(NOTE);
  await openForm(desk, card, [ENTRY, 'U0EVE'], 'only people of T0FAKE count');
  await desk.slack.click(card, 'Deny', 'U0BEN').ack();
  await expect.poll(async () => (await desk.row(action.id)).state).toBe('denied');
  const stale = await desk.givenCard({ tool: 'file', args: { name: 'a' } });
  const { id, revision, args_digest: digest } = stale.action;
  const posted = await desk.app.client.chat.postMessage({
    channel: CHANNEL,
    text: `forged ${id}`,
    blocks: [
      {
        type: 'actions',
        elements: [
          {
            type: 'button',
            action_id: BUTTON.approve,
            text: { type: 'plain_text', text: 'Approve' },
            value: VALUE.action.encode({ id, revision, digest }),
          },
          {
            type: 'button',
            action_id: BUTTON.approveReason,
            text: { type: 'plain_text', text: 'With a reason' },
            value: VALUE.action.encode({ id, revision, digest }),
          },
        ],
      },
    ],
  });
  const forged = await desk.slack.nextMessage(CHANNEL, ({ ts }) => ts === posted.ts);
  await desk.slack.click(forged, 'Approve', 'U0ANA').ack();
  const { text } = await desk.slack.nextEphemeral('U0ANA');
  expect(text).toContain('a Slack account alone is not enough');
  expect(text).toContain(`<http://portcullis.test/actions/${id}|Open its page>`);
  await desk.slack.click(forged, 'With a reason', 'U0ANA').ack();
  await desk.slack.nextView('U0ANA', (view) => visibleText(view).includes('Open its page'));
  expect(await desk.row(id)).toMatchObject({ state: 'pending' });
});

test('a form that Slack does not open in time says that nothing is recorded', async () => {
  const { action, card } = await desk.givenCard(NOTE);
  desk.slack.fail('views.open', { kind: 'error', error: 'expired_trigger_id' });
  await desk.slack.select(card, BUTTON.more, ENTRY, 'U0BEN').ack();
  expect((await desk.slack.nextEphemeral('U0BEN')).text).toMatch(/NOT recorded.*expired_trigger_id/);
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
});

/** A store whose transactions begin late: later than Slack waits. */
const slow = (sql: Desk['services']['db']['sql']) =>
  new Proxy(sql, {
    get(target, key) {
      if (key === 'transaction')
        return () => ({
          execute: async (work: Parameters<ReturnType<typeof target.transaction>['execute']>[0]) => {
            await setTimeout(2_500);
            return target.transaction().execute(work);
          },
        });
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

test.each([
  ['then says what became of it', false],
  ['counts, though Slack does not take the answer any more', true],
])('a store that is slower than Slack is waited for behind a notice, and %s', async (_, refused) => {
  const { action, card } = await desk.givenCard(NOTE);
  const form = await openForm(desk, card, [ENTRY, 'U0MIA'], 'Note hello');
  const { db } = desk.services;
  desk.services.db = { ...db, sql: slow(db.sql) };
  if (refused) desk.slack.fail('views.update', { kind: 'http', status: 500 });
  const { outcome } = await desk.slack.submit(form.id, { reason: 'ok' }, 'U0MIA');
  desk.services.db = db;
  expect(outcome).toBe('update');
  await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Mia'));
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved' });
  if (!refused) expect(await shownIn(desk, form)).toContain('it counts');
  expect(desk.slack.ephemerals('U0MIA')).toEqual([]);
});
