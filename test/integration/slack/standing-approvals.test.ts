import { afterAll, beforeAll, expect, test } from 'vitest';
import { listStandingApprovals } from '../../../src/approvals/standing/store.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { givenAsked } from '../../support/fixtures.ts';
import { openApprovalsDesk, openForm, shownIn } from './approvals-desk.ts';
import type { Desk } from './support.ts';

const ENTRY = 'Approve the like for a while';
const ANA = [ENTRY, 'U0ANA'] as const;
const HOUR_MS = 3_600_000;

let desk: Desk;
beforeAll(async () => {
  desk = await openApprovalsDesk({
    refund: '{ group: desk, quorum: 2 }',
    file: '{ group: desk, standing: forbidden }',
    note: '{ group: desk, reason: required }',
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

const startedBy = async ({ id }: ActionRow) =>
  (await listStandingApprovals(desk.services.db.sql, { live: true, limit: 50 })).filter(
    ({ action_id }) => action_id === id,
  );

test('the like of it runs unasked within what was chosen, and what is not alike is asked', async () => {
  const { action, card } = await desk.givenCard({ args: { id: 'R-1', card: '4111-secret' } });
  const form = await openForm(desk, card, ANA, 'For how long');
  expect(visibleText(form)).toContain('args.id == "R-1"');
  expect(visibleText(form)).toContain('Left open, any value passes:* card');
  expect(JSON.stringify(form.definition)).not.toContain('4111-secret');
  const { outcome } = await desk.slack.submit(
    form.id,
    { time: '4 hours', uses: '20 times', envelope: 'args.id.startsWith("R-")', reason: 'a busy night' },
    'U0ANA',
  );
  expect(outcome).toBe('update');
  expect(await shownIn(desk, form)).toContain('the like of it:* at most 20 times');
  await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Approved by Ana'));
  const [started] = await startedBy(action);
  expect(started).toMatchObject({
    envelope: 'args.id.startsWith("R-")',
    max_uses: 20,
    created_by: 'ana',
    tool: 'cancel',
  });
  expect((started?.expires_at.getTime() ?? 0) - (started?.starts_at.getTime() ?? 0)).toBe(4 * HOUR_MS);
  expect((await givenAsked(desk.services, { args: { id: 'R-2' } })).action).toMatchObject({
    state: 'approved',
    standing_id: started?.id,
  });
  expect((await givenAsked(desk.services, { args: { id: 'S-1' } })).action.state).toBe('pending');
});

test.each([
  ['args.id == ', 'not valid'],
  ['true', 'always true'],
  ['args.id == "other"', 'not true of this action itself'],
  ['args.id != "" || args.card == "4111"', 'redacted'],
])('an envelope such as %s is refused at its field', async (envelope, why) => {
  const { action, card } = await desk.givenCard({ args: { id: 'Q-1' } });
  const form = await openForm(desk, card, ANA, 'For how long');
  const { outcome, errors } = await desk.slack.submit(form.id, { envelope }, 'U0ANA');
  expect(outcome).toBe('errors');
  expect(errors.envelope).toContain(why);
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
  expect(await startedBy(action)).toEqual([]);
});

test('a missing reason is asked for at its field', async () => {
  const { card } = await desk.givenCard({ tool: 'note', args: { text: 'a' } });
  const form = await openForm(desk, card, ANA, 'For how long');
  const blank = await desk.slack.submit(form.id, { reason: ' ' }, 'U0ANA');
  expect(blank).toMatchObject({ outcome: 'errors', errors: { reason: expect.any(String) } });
});

test('with others to agree it begins when they have, and not after an approval without it', async () => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  const forms = [
    await openForm(desk, card, ANA, 'For how long'),
    await openForm(desk, card, [ENTRY, 'U0BEN'], 'For how long'),
  ] as const;
  await desk.slack.submit(forms[0].id, {}, 'U0ANA');
  expect(await shownIn(desk, forms[0])).toContain('when the others have agreed');
  expect(await startedBy(action)).toEqual([]);
  await desk.slack.submit(forms[1].id, {}, 'U0BEN');
  expect(await shownIn(desk, forms[1])).toContain('the action changed since it was shown');
  const one = await desk.slack.nextUpdate(card);
  await desk.slack.click(one, 'Approve', 'U0BEN').ack();
  await expect.poll(() => startedBy(action)).toHaveLength(1);
});

test('where the release forbids it the menu does not offer it', async () => {
  const { card } = await desk.givenCard({ tool: 'file', args: { name: 'a' } });
  await expect(openForm(desk, card, ANA, 'For how long')).rejects.toThrow('nobody can choose');
});
