import { afterAll, beforeAll, expect, test } from 'vitest';
import { visibleText } from '../../fakes/slack/visible.ts';
import { decisionsOf, openApprovalsDesk, openForm, shownIn } from './approvals-desk.ts';
import type { Desk } from './support.ts';

const ENTRY = 'Break the glass: approve alone';
const CLEO = [ENTRY, 'U0CLEO'] as const;
const RESPONSIBLE = 'I take responsibility';

let desk: Desk;
beforeAll(async () => {
  desk = await openApprovalsDesk({ refund: '{ group: desk, quorum: 3, breakGlass: glass }' });
});
afterAll(() => desk[Symbol.asyncDispose]());

const givenRefund = () => desk.givenCard({ tool: 'refund', args: { amount: 5 } });
const alertsOf = (id: string) =>
  desk.services.db.sql
    .selectFrom('alert')
    .selectAll()
    .where('kind', '=', 'action.break_glass')
    .execute()
    .then((rows) => rows.filter(({ facts }) => JSON.stringify(facts).includes(id)));

test('one of the group approves alone, loudly, with a reason and their own responsibility', async () => {
  const { action, card } = await givenRefund();
  const form = await openForm(desk, card, CLEO, 'you approve this alone');
  const twin = await openForm(desk, card, CLEO, 'you approve this alone');
  await expect(desk.slack.submit(form.id, { reason: 'fire' }, 'U0CLEO')).rejects.toThrow('left empty');
  const { outcome } = await desk.slack.submit(
    form.id,
    { reason: 'The guest is stranded', responsible: [RESPONSIBLE] },
    'U0CLEO',
  );
  expect(outcome).toBe('update');
  expect(await shownIn(desk, form)).toContain('Approved by you alone');
  await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('Cleo'));
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved', break_glass: true });
  expect(await decisionsOf(desk, action)).toMatchObject([
    { person: 'cleo', slot: 'break-glass', reason: 'The guest is stranded' },
  ]);
  await desk.slack.submit(twin.id, { reason: 'Again', responsible: [RESPONSIBLE] }, 'U0CLEO');
  expect(await shownIn(desk, twin)).toContain('counted already');
  expect(await alertsOf(action.id)).toHaveLength(1);
});

test('who is not in the group breaks nothing, and the form says so', async () => {
  const { action, card } = await givenRefund();
  const form = await openForm(desk, card, [ENTRY, 'U0ANA'], 'you approve this alone');
  const { outcome } = await desk.slack.submit(
    form.id,
    { reason: 'I want it', responsible: [RESPONSIBLE] },
    'U0ANA',
  );
  expect(outcome).toBe('update');
  expect(await shownIn(desk, form)).toContain('is not in "glass"');
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending', break_glass: false });
  expect(await alertsOf(action.id)).toEqual([]);
});

test('who approved with the others may still break the glass, and it is said', async () => {
  const { action, card } = await givenRefund();
  await desk.slack.click(card, 'Approve', 'U0BEN').ack();
  const one = await desk.slack.nextUpdate(card);
  const form = await openForm(desk, one, [ENTRY, 'U0BEN'], 'you approve this alone');
  await desk.slack.submit(form.id, { reason: 'Faster', responsible: [RESPONSIBLE] }, 'U0BEN');
  expect(await shownIn(desk, form)).toContain('Approved by you alone');
  expect(await desk.row(action.id)).toMatchObject({ state: 'approved', break_glass: true });
});

test('with a blank reason nothing happens and what was typed stays', async () => {
  const { action, card } = await givenRefund();
  const form = await openForm(desk, card, CLEO, 'you approve this alone');
  const blank = await desk.slack.submit(form.id, { reason: ' ', responsible: [RESPONSIBLE] }, 'U0CLEO');
  expect(blank).toMatchObject({ outcome: 'errors', errors: { reason: expect.any(String) } });
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending' });
});
