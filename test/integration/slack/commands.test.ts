import { afterEach, beforeEach, expect, test } from 'vitest';
import { answerAction } from '../../../src/approvals/answer.ts';
import { listDisabled } from '../../../src/switches/list.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import { approverActor, givenPendingAction } from '../../support/fixtures.ts';
import { CHANNEL, type Desk, openDesk } from './support.ts';

let desk: Desk;
beforeEach(async () => {
  desk = await openDesk();
});
afterEach(() => desk[Symbol.asyncDispose]());

async function typed(text: string, user: string): Promise<string> {
  await desk.slack.command('/portcullis', text, user, CHANNEL).ack();
  return visibleText(await desk.slack.nextEphemeral(user));
}

const off = async () => (await listDisabled(desk.services.db.sql)).map(({ scope }) => scope);

test('disable by name stops at once, voids what waits, and is told apart from what is not understood', async () => {
  const action = await givenPendingAction(desk.services);
  expect(await typed('disable desk/cancel wrong rooms', 'U0CLEO')).toContain('Closed: cancel of desk');
  expect(await desk.row(action.id)).toMatchObject({ state: 'disabled' });
  expect(await typed('status', 'U0ANA')).toContain('OFF: cancel of desk* since');
  expect(await typed('enable desk/cancel rooms are right again', 'U0OLGA')).toContain('Enabled:');
  expect(await off()).toEqual([]);
  expect(await typed('help', 'U0ANA')).toContain('What you can type');
  expect(await typed('disabel everything now', 'U0CLEO')).toMatch(
    /Nothing was done.*did you mean "disable"[\s\S]*What you can type/,
  );
  expect(await typed('disable desk/cancel/x now', 'U0CLEO')).toContain('What you can type');
});

test('everything is enabled by two people only', async () => {
  expect(await typed('disable everything fire drill', 'U0CLEO')).toContain('Closed: everything');
  expect(await typed('enable everything over', 'U0CLEO')).toContain('takes two people');
  expect(await typed('enable everything over', 'U0CLEO')).toContain('takes two people');
  expect(await off()).toEqual(['everything']);
  expect(await typed('enable everything over', 'U0OLGA')).toContain('Enabled:');
});

test('a bare disable opens a chooser; what is chosen there is switched off', async () => {
  await desk.slack.command('/portcullis', 'disable', 'U0CLEO', CHANNEL).ack();
  const modal = await desk.slack.nextView('U0CLEO', (view) => visibleText(view).includes('refund of desk'));
  const submitted = await desk.slack.submit(
    modal.id,
    { scope: 'refund of desk', reason: 'Too much' },
    'U0CLEO',
  );
  expect(submitted.outcome).toBe('update');
  await expect
    .poll(() => visibleText(desk.slack.view(modal.id) ?? modal))
    .toContain('Closed: refund of desk');
  expect(await off()).toEqual(['tool/desk/refund']);
  await desk.slack.command('/portcullis', 'enable', 'U0OLGA', CHANNEL).ack();
  const again = await desk.slack.nextView('U0OLGA', (view) => visibleText(view).includes('refund of desk'));
  await desk.slack.submit(again.id, { scope: 'refund of desk', reason: 'Fine now' }, 'U0OLGA');
  await expect.poll(off).toEqual([]);
});

test('disable with a scope and no reason asks for the reason', async () => {
  await desk.slack.command('/portcullis', 'disable desk', 'U0CLEO', CHANNEL).ack();
  const modal = await desk.slack.nextView('U0CLEO', (view) => visibleText(view).includes('Why'));
  await desk.slack.submit(modal.id, { reason: 'No reason given before' }, 'U0CLEO');
  await expect.poll(off).toEqual(['agent/desk']);
});

test('strangers see nothing and stop nothing; an approver may not enable', async () => {
  expect(await typed('status', 'U0MIA')).toContain('not a person of any agent');
  expect(await typed('disable desk now', 'U0MIA')).toContain('slack: U0MIA/T0FAKE');
  await desk.slack.command('/portcullis', 'disable', 'U0MIA', CHANNEL).ack();
  const modal = await desk.slack.nextView('U0MIA', (view) => visibleText(view).includes('not a person'));
  expect(visibleText(modal)).not.toContain('desk');
  expect(await typed('disable desk now', 'U0ANA')).toContain('Closed');
  expect(await typed('enable desk now', 'U0ANA')).toContain('Not counted');
  expect(await off()).toEqual(['agent/desk']);
});

test('rollback, pause and resume need a rollout, a reason and the role', async () => {
  expect(await typed('rollback desk gold', 'U0CLEO')).toContain('A reason is needed');
  expect(await typed('rollback desk gold it is wrong', 'U0CLEO')).toContain('has no rollout to rollback');
  expect(await typed('pause desk', 'U0CLEO')).toContain('A reason is needed');
  expect(await typed('pause nobody because', 'U0CLEO')).toContain('is not known');
});

test('approvals lists what waits for the person alone, each with its page', async () => {
  expect(await typed('approvals', 'U0ANA')).toBe('Nothing waits for you.');
  const [one, two] = [
    await givenPendingAction(desk.services, { args: { id: 'R-1' } }),
    await givenPendingAction(desk.services, { tool: 'refund', args: { amount: 5 } }),
  ];
  await desk.slack.command('/portcullis', 'approvals', 'U0ANA', CHANNEL).ack();
  const { text } = await desk.slack.nextEphemeral('U0ANA');
  expect(text).toContain('*2 wait for you*');
  expect(text).toContain(`<http://portcullis.test/actions/${one.id}|Cancel order R-1> (desk, risk medium`);
  await answerAction(desk.services, approverActor('ana'), { id: two.id, verdict: 'approve' });
  expect(await typed('approvals', 'U0ANA')).toContain('1 waits for you');
  expect(await typed('approvals', 'U0BEN')).toContain('2 wait for you');
  expect(await typed('approvals', 'U0OLGA')).toBe('Nothing waits for you.');
  expect(await typed('approvals', 'U0MIA')).toContain('not a person of any agent');
});

test('a deputy is named, listed and ended, and answers in between', async () => {
  const action = await givenPendingAction(desk.services);
  const approve = () =>
    answerAction(desk.services, approverActor('cleo'), { id: action.id, verdict: 'approve' });
  await expect(approve()).rejects.toMatchObject({ code: 'not_eligible' });
  expect(await typed('deputy', 'U0ANA')).toBe('Nobody answers for anybody else.');
  expect(await typed('deputy desk cleo 3d in desk vacation', 'U0ANA')).toMatch(
    /Named:\* cleo answers for ana in group desk of desk until .*: vacation/,
  );
  const listed = await typed('deputy', 'U0BEN');
  expect(listed).toContain('cleo answers for ana');
  const id = /`([0-9a-f-]{36})`/.exec(listed)?.[1];
  expect(await typed(`deputy end ${id}`, 'U0BEN')).toContain('Not counted');
  expect(await typed(`deputy end ${id}`, 'U0ANA')).toContain('cleo does not answer for ana any more');
  await expect(approve()).rejects.toMatchObject({ code: 'not_eligible' });
  expect(await typed('deputy desk olga 3d vacation', 'U0ANA')).toContain('does not count');
  expect(await typed('deputy desk cleo soon vacation', 'U0ANA')).toContain('What you can type');
  expect(await typed('deputy desk cleo 1h lunch', 'U0ANA')).toContain('Named:');
  expect(await approve()).toMatchObject({ counted: true });
});
