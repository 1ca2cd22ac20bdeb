import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { correctAction } from '../../../src/actions/correct.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { detailOf } from '../../../src/api/action-detail.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { actionCard } from '../../../src/cards/action-card.ts';
import { readCardFacts } from '../../../src/cards/card-facts.ts';
import type { ActionRow } from '../../../src/records/action.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { actorOf, agentActor, approverActor, givenAdopted, givenAsked } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';

let services: TestServices;
let n = 0;
let subject = '';
beforeAll(async () => {
  services = await createTestServices();
  await givenAdopted(services);
});
beforeEach(() => {
  subject = `guest-${n++}`;
});
afterAll(() => services.close());

const args = () => ({ id: `room of ${subject}` });
const ask = async (more: Record<string, unknown> = {}): Promise<ActionRow> => {
  services.clock.advance(1_000);
  return (await givenAsked(services, { subject, args: args(), ...more })).action;
};
const deny = async ({ id }: ActionRow, reason = 'NO-NEVER') => {
  services.clock.advance(1_000);
  await answerAction(services, approverActor(), { id, verdict: 'deny', reason });
};
const code = ({ state, reasons }: ActionRow) => [state, reasons[0]?.code];
const refused = ['denied', 'denied_before'];

test('what was denied may be asked twice more within a day, marked, and then is denied unasked', async () => {
  await deny(await ask());
  const again = await ask();
  expect(again.state).toBe('pending');
  const card = JSON.stringify(actionCard(await readCardFacts(services, again.id)));
  expect(card).toContain('Denied before:');
  expect(card).toContain('NO-NEVER');
  expect(card).toContain('Ana');
  expect(await detailOf(services, again)).toMatchObject({
    deniedBefore: [{ person: 'ana', reason: 'NO-NEVER', sameSubject: true }],
  });
  await deny(again, 'still no');
  await deny(await ask());
  const fourth = await ask();
  expect(code(fourth)).toEqual(refused);
  expect(fourth.decided_by).toBe('policy');
  expect(fourth.reasons[0]?.message).toBe('People denied the same 3 times within a day, last ana: NO-NEVER');
  // Another key, another build, another reason or other claims: the same all the same.
  expect(code(await ask({ agentVersion: '9', reason: 'Please', context: { x: 1 } }))).toEqual(refused);
});

test('repeats count whatever became of them: withdrawn ones, too', async () => {
  await deny(await ask());
  for (let repeat = 0; repeat < 2; repeat++)
    await withdrawAction(services, agentActor(), { id: (await ask()).id });
  expect(code(await ask())).toEqual(refused);
});

test('something else is asked as ever, and another subject is marked', async () => {
  for (let repeat = 0; repeat < 3; repeat++) await deny(await ask());
  expect((await ask({ args: { ...args(), note: 'changed' } })).state).toBe('pending');
  const other = await ask({ subject: `${subject}-other` });
  expect(other.state).toBe('pending');
  expect((await readCardFacts(services, other.id)).denied).toMatchObject([{ sameSubject: false }, {}, {}]);
});

test('a person changes it: by saying that a denial was wrong, or by approving one', async () => {
  const first = await ask();
  await deny(first);
  for (let repeat = 0; repeat < 2; repeat++) await deny(await ask());
  expect(code(await ask())).toEqual(refused);
  await correctAction(services, approverActor('ben'), { id: first.id, reason: 'it was right' });
  const asked = await ask();
  expect(asked.state).toBe('pending');
  await answerAction(services, approverActor(), { id: asked.id, verdict: 'approve' });
  await deny(await ask());
  expect((await ask()).state).toBe('pending');
});

test('after a day it may be asked again', async () => {
  for (let repeat = 0; repeat < 3; repeat++) await deny(await ask());
  expect(code(await ask())).toEqual(refused);
  services.clock.advance(services.dayMs);
  expect((await ask()).state).toBe('pending');
});

test('nothing of it is left when the subject is erased', async () => {
  await deny(await ask());
  await eraseSubject(services, actorOf('admin'), { agent: 'desk', subject, reason: 'asked to' });
  const rows = await services.db.sql
    .selectFrom('action')
    .select('same_digest')
    .where('subject_id', 'is', null)
    .execute();
  expect(rows.every(({ same_digest }) => same_digest === '')).toBe(true);
});
