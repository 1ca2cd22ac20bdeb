import { afterAll, beforeAll, expect, test } from 'vitest';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { BUTTON, VALUE } from '../../../src/cards/blocks/buttons.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { visibleText } from '../../fakes/slack/visible.ts';
import type { View } from '../../fakes/slack/world.ts';
import { approverActor, givenPendingAction } from '../../support/fixtures.ts';
import { decisionsOf, openApprovalsDesk, openForm, shownIn } from './approvals-desk.ts';
import { CHANNEL, type Desk } from './support.ts';

const APPROVE = 'Approve those that are ticked';
const DENY = 'Deny them';

let desk: Desk;
beforeAll(async () => {
  desk = await openApprovalsDesk({
    refund: '{ group: desk, quorum: 2 }',
    file: '{ group: desk, slackApproves: none }',
    note: '{ group: desk, notify: digest }',
  });
});
afterAll(() => desk[Symbol.asyncDispose]());

/** Cancellations that wait, one for each id, and the form that the card of the last one opens for ana. */
async function givenAlike(...ids: readonly string[]): Promise<{ actions: ActionRow[]; form: View }> {
  const { sql } = desk.services.db;
  await sql.updateTable('action').set({ state: 'expired' }).where('state', '=', 'pending').execute();
  const actions: ActionRow[] = [];
  for (const id of ids.slice(0, -1)) {
    actions.push(await givenPendingAction(desk.services, { args: { id, card: `4111-${id}` } }));
    desk.services.clock.advance(1);
  }
  const { action, card } = await desk.givenCard({ args: { id: ids.at(-1), card: '4111-last' } });
  const entry = `Answer ${ids.length} alike together`;
  const form = await openForm(desk, card, [entry, 'U0ANA'], 'Each is answered for itself');
  return { actions: [...actions, action], form };
}

const statesOf = (actions: readonly ActionRow[]) =>
  Promise.all(actions.map(async ({ id }) => (await desk.row(id)).state));
const item = (form: View, number: number): string =>
  (form.blocks.flatMap((block) => (block.element as { options?: { value: string }[] })?.options ?? [])[
    number - 1
  ]?.value ?? '') as string;

test('the table shows each with its difference, and what is ticked is approved, each for itself', async () => {
  const { actions, form } = await givenAlike('R-1', 'R-2', 'R-3');
  const text = visibleText(form);
  expect(text).toMatch(/\*1\. Cancel order R-1\*\nArguments: .*"id":"R-1"/);
  expect(text).toMatch(/\*2\. Cancel order R-2\*\nDifferent from the first one:/);
  expect(text).toContain('id: "R-1" → "R-2"');
  expect(text).toMatch(/risk medium · waits 0 min · expires/);
  expect(JSON.stringify(form.definition)).not.toContain('4111-');
  const { outcome } = await desk.slack.submit(
    form.id,
    { 'rows:0': [item(form, 1), item(form, 3)], verdict: APPROVE },
    'U0ANA',
  );
  expect(outcome).toBe('update');
  expect(await shownIn(desk, form)).toContain('2 of 2 approvals count');
  expect(await statesOf(actions)).toEqual(['approved', 'pending', 'approved']);
  const [first] = actions;
  expect(first && (await decisionsOf(desk, first))).toMatchObject([
    { person: 'ana', seen_revision: 1, seen_digest: first?.args_digest, identity: 'slack U0ANA/T0FAKE' },
  ]);
});

test('one that was edited or answered after the table was shown is left out, and said', async () => {
  const { actions, form } = await givenAlike('R-1', 'R-2', 'R-3');
  const [edited, denied] = actions;
  if (!edited || !denied) throw new Error('two are needed');
  const { id, args_digest: digest, revision } = edited;
  await editAction(desk.services, approverActor('ben'), { id, args: { id: 'R-9' }, digest, revision });
  await answerAction(desk.services, approverActor('ben'), { id: denied.id, verdict: 'deny' });
  await desk.slack.submit(form.id, { verdict: APPROVE }, 'U0ANA');
  const text = await shownIn(desk, form);
  expect(text).toContain('1 of 3 approvals count');
  expect(text).toMatch(/Cancel order R-9: \*not counted\.\* .*arguments shown are not those/);
  expect(text).toMatch(/Cancel order R-2: \*not counted\.\* .*already denied/);
  expect(await statesOf(actions)).toEqual(['pending', 'denied', 'approved']);
});

test('denying needs a reason, which reaches every agent', async () => {
  const { actions, form } = await givenAlike('R-1', 'R-2');
  const blank = await desk.slack.submit(form.id, { verdict: DENY }, 'U0ANA');
  expect(blank).toMatchObject({ outcome: 'errors', errors: { reason: 'Say why not' } });
  const none = await desk.slack.submit(form.id, { 'rows:0': [], verdict: DENY, reason: 'x' }, 'U0ANA');
  expect(none).toMatchObject({ outcome: 'errors', errors: { 'rows:0': 'Tick at least one' } });
  expect(await statesOf(actions)).toEqual(['pending', 'pending']);
  await desk.slack.submit(form.id, { verdict: DENY, reason: 'Not on Sundays' }, 'U0ANA');
  expect(await shownIn(desk, form)).toContain('2 of 2 denials count');
  for (const { id } of actions)
    expect(await desk.row(id)).toMatchObject({ state: 'denied', deny_reason: 'Not on Sundays' });
});

test('fifty fit, in groups of ten ticks', async () => {
  const { actions, form } = await givenAlike(...Array.from({ length: 50 }, (_, at) => `R-${at}`));
  expect(visibleText(form)).toContain('Answer 50 together');
  expect(visibleText(form)).toContain('Answer 41 to 50');
  await desk.slack.submit(form.id, { verdict: APPROVE }, 'U0ANA');
  expect(await shownIn(desk, form)).toContain('50 of 50 approvals count');
  expect(new Set(await statesOf(actions))).toEqual(new Set(['approved']));
});

test('who may not approve them gets no table', async () => {
  const { form } = await givenAlike('R-1', 'R-2');
  const card = desk.slack.messages(CHANNEL).at(-1);
  if (!card) throw new Error('there is no card');
  expect(form.open).toBe(true);
  const other = await openForm(desk, card, ['Answer 2 alike together', 'U0CLEO'], 'Nothing like it waits');
  expect(visibleText(other)).not.toContain('R-1');
});

test('the store going away in between is told, and nothing is said to count that does not', async () => {
  const { actions, form } = await givenAlike('R-1', 'R-2');
  const { db } = desk.services;
  desk.services.db = { ...db, sql: failing(db.sql) };
  await desk.slack.submit(form.id, { verdict: APPROVE }, 'U0ANA');
  desk.services.db = db;
  expect(await shownIn(desk, form)).toMatch(
    /0 of 2 approvals count[\s\S]*NOT recorded: the database does not answer/,
  );
  expect(await statesOf(actions)).toEqual(['pending', 'pending']);
});

/** A store that reads and does not begin transactions any more. */
const failing = (sql: Desk['services']['db']['sql']) =>
  new Proxy(sql, {
    get(target, key) {
      if (key === 'transaction')
        return () => {
          throw Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
        };
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

test('the digest of an agent opens the same table over its low-risk requests', async () => {
  const notes = [
    await givenPendingAction(desk.services, { tool: 'note', args: { text: 'a' } }),
    await givenPendingAction(desk.services, { tool: 'note', args: { text: 'b' } }),
  ];
  const reach = JSON.stringify({ state: 'queued', people: [], at: desk.services.clock.now().toISOString() });
  for (const { id } of notes)
    await desk.services.db.sql.updateTable('action').set({ reach }).where('id', '=', id).execute();
  const posted = await desk.app.client.chat.postMessage({
    channel: CHANNEL,
    text: 'digest',
    blocks: [
      {
        type: 'actions',
        elements: [
          {
            type: 'button',
            action_id: BUTTON.digestAnswer,
            text: { type: 'plain_text', text: 'Answer' },
            value: VALUE.digest.encode({ agent: 'desk' }),
          },
        ],
      },
    ],
  });
  const digest = await desk.slack.nextMessage(CHANNEL, ({ ts }) => ts === posted.ts);
  await desk.slack.click(digest, 'Answer', 'U0ANA').ack();
  const form = await desk.slack.nextView('U0ANA', (view) => visibleText(view).includes('Note b'));
  expect(visibleText(form)).not.toContain('Cancel order');
  await desk.slack.submit(form.id, { verdict: APPROVE }, 'U0ANA');
  expect(await statesOf(notes)).toEqual(['approved', 'approved']);
});
