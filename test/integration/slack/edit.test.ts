import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerAction } from '../../../src/approvals/answer.ts';
import { privateOf } from '../../../src/records/action.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { approverActor } from '../../support/fixtures.ts';
import { decisionsOf, openApprovalsDesk, openForm, shownIn } from './approvals-desk.ts';
import type { Desk } from './support.ts';

const ENTRY = 'Edit the arguments';
const BEN = [ENTRY, 'U0BEN'] as const;

let desk: Desk;
beforeAll(async () => {
  desk = await openApprovalsDesk({ refund: '{ group: desk, quorum: 2 }' });
});
afterAll(() => desk[Symbol.asyncDispose]());

const argsOf = async (id: string) => JSON.parse((await privateOf(desk.services.db.sql, id))?.args ?? 'null');

test('what was edited is shown, starts the count anew, and is approved by somebody else', async () => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  await desk.slack.click(card, 'Approve', 'U0ANA').ack();
  const one = await desk.slack.nextUpdate(card);
  const form = await openForm(desk, one, BEN, '"amount": 5');
  const { outcome } = await desk.slack.submit(form.id, { args: '{ "amount": 7 }', reason: 'fee' }, 'U0BEN');
  expect(outcome).toBe('update');
  expect(await shownIn(desk, form)).toMatch(/~ amount: 5 → 7/);
  expect(await shownIn(desk, form)).toContain('1 approval given before does not count any more');
  const edited = await desk.slack.nextUpdate(one, (message) => visibleText(message).includes('7'));
  expect(await desk.row(action.id)).toMatchObject({ state: 'pending', round: 1, revision: 2 });
  await desk.slack.click(edited, 'Approve', 'U0BEN').ack();
  expect((await desk.slack.nextEphemeral('U0BEN')).text).toContain('somebody else must answer');
  await desk.slack.click(edited, 'Approve', 'U0ANA').ack();
  const again = await desk.slack.nextUpdate(edited, (message) => visibleText(message).includes('1 of 2'));
  await desk.slack.click(again, 'Approve', 'U0MIA').ack();
  await expect.poll(async () => (await desk.row(action.id)).state).toBe('approved');
});

test.each([
  ['{ "amount": 5', 'Cannot read the JSON'],
  ['{ "amount": 5, "amount": 6 }', 'Duplicate key'],
  ['{ "amount": 12345678901234567890 }', '2^53-1'],
  ['[5]', 'one JSON object'],
  ['{ “amount”: 6 }', 'straight ones'],
  ['{ "amount": "six" }', 'schema'],
  ['{ "amount": 5 }', 'nothing is different'],
])('%s is refused at the field, and can be mended there', async (text, why) => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  const form = await openForm(desk, card, BEN, '"amount": 5');
  const { outcome, errors } = await desk.slack.submit(form.id, { args: text }, 'U0BEN');
  expect(outcome).toBe('errors');
  expect(errors.args).toContain(why);
  expect(await desk.row(action.id)).toMatchObject({ round: 0, revision: 1 });
  expect((await desk.slack.submit(form.id, { args: '{"amount":6}' }, 'U0BEN')).outcome).toBe('update');
  expect(await argsOf(action.id)).toEqual({ amount: 6 });
});

test('a redacted value is neither shown nor lost, and is not changed from Slack', async () => {
  const { action, card } = await desk.givenCard({ args: { id: 'R-7', card: '4111-secret' } });
  const form = await openForm(desk, card, BEN, '[redacted]');
  const args = '{ "id": "R-8", "card": "[redacted]" }';
  await desk.slack.submit(form.id, { args }, 'U0BEN');
  expect(await argsOf(action.id)).toEqual({ id: 'R-8', card: '4111-secret' });
  const edited = await desk.slack.nextUpdate(card, (message) => visibleText(message).includes('R-8'));
  const second = await openForm(desk, edited, [ENTRY, 'U0ANA'], '[redacted]');
  const written = { args: '{ "id": "R-8", "card": "5500-other" }' };
  const { errors } = await desk.slack.submit(second.id, written, 'U0ANA');
  expect(errors.args).toContain('Slack is no place for it');
  expect(await argsOf(action.id)).toEqual({ id: 'R-8', card: '4111-secret' });
  expect(JSON.stringify([desk.slack.calls(), desk.slack.acks])).not.toMatch(/4111-secret|5500-other/);
});

test('what was changed or answered while the form was open is refused, and what was typed stays', async () => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  const [one, two] = [
    await openForm(desk, card, BEN, '"amount": 5'),
    await openForm(desk, card, [ENTRY, 'U0ANA'], '"amount": 5'),
  ];
  await desk.slack.submit(one.id, { args: '{"amount":6}' }, 'U0BEN');
  const late = await desk.slack.submit(two.id, { args: '{"amount":7}' }, 'U0ANA');
  expect(late).toMatchObject({ outcome: 'errors', errors: { args: expect.stringContaining('shown') } });
  await answerAction(desk.services, approverActor('mia'), { id: action.id, verdict: 'deny' });
  const later = await desk.slack.submit(two.id, { args: '{"amount":7}' }, 'U0ANA');
  expect(later.errors.args).toContain('already denied');
  expect(await argsOf(action.id)).toEqual({ amount: 6 });
});

test('long arguments get one field each; one that is left empty is taken away', async () => {
  const args = { name: 'a', body: 'x'.repeat(2_500), more: 'y'.repeat(2_500) };
  const { action, card } = await desk.givenCard({ tool: 'file', args });
  const form = await openForm(desk, card, BEN, 'Leave it empty');
  const { outcome } = await desk.slack.submit(form.id, { name: '"b"', more: null }, 'U0BEN');
  expect(outcome).toBe('update');
  expect(await argsOf(action.id)).toEqual({ name: 'b', body: args.body });
  expect(await decisionsOf(desk, action)).toEqual([]);
});

test('arguments beyond Slack’s fields are edited on the page', async () => {
  const { action, card } = await desk.givenCard({
    tool: 'file',
    args: { name: 'a', body: 'x'.repeat(3_001) },
  });
  const form = await openForm(desk, card, BEN, 'too long for Slack');
  expect(JSON.stringify(form.blocks)).toContain(`http://portcullis.test/actions/${action.id}`);
});

test('the owner does not edit, nor does a stranger', async () => {
  const { action, card } = await desk.givenCard({ tool: 'refund', args: { amount: 5 } });
  const form = await openForm(desk, card, [ENTRY, 'U0OLGA'], '"amount": 5');
  const { errors } = await desk.slack.submit(form.id, { args: '{"amount":6}' }, 'U0OLGA');
  expect(errors.args).toContain('olga owns or deploys');
  const foreign = await openForm(desk, card, [ENTRY, 'U0EVE'], 'only people of T0FAKE count');
  expect(visibleText(foreign)).not.toContain('amount');
  expect(await argsOf(action.id)).toEqual({ amount: 5 });
});
