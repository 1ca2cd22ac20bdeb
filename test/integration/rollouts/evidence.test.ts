import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { askAction } from '../../../src/actions/ask.ts';
import { beginAction } from '../../../src/actions/begin.ts';
import { completeAction } from '../../../src/actions/complete.ts';
import { correctAction } from '../../../src/actions/correct.ts';
import { sweepActions } from '../../../src/actions/sweep.ts';
import { withdrawAction } from '../../../src/actions/withdraw.ts';
import { answerAction } from '../../../src/approvals/answer.ts';
import { editAction } from '../../../src/approvals/edit.ts';
import { restartLogE } from '../../../src/domain/evidence/eprocess.ts';
import { recordOutcomes } from '../../../src/outcomes/record.ts';
import { type ActionRow, actionById } from '../../../src/records/action.ts';
import { rolloutById } from '../../../src/records/rollout.ts';
import { countEvidence } from '../../../src/rollouts/evidence.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { rolloutStatus } from '../../../src/rollouts/status.ts';
import { eraseSubject } from '../../../src/subjects/erase.ts';
import { actorOf, agentActor, approverActor, askInput } from '../../support/fixtures.ts';
import { createTestServices, type TestServices } from '../../support/services.ts';
import { recount } from './recount.ts';
import { type Exposed, givenExposed } from './support.ts';

const PROPOSALS: Exposed = {
  metrics: `  wrong: { unit: conversation, business: workload, tool: cancel, decidedBy: policy, corrections: true }
  proposal: { unit: conversation, business: workload, tool: pay, denials: true }
`,
  grants: (approval) => `[{ tool: cancel, approval: ${approval} }, { tool: pay, approval: desk }]`,
};
const LIMIT = 0.05;

let services: TestServices;
let rollout: string;
beforeAll(async () => {
  services = await createTestServices();
  rollout = await givenExposed(services, PROPOSALS);
});
afterAll(() => services.close());

let asked = 0;
async function ask(subject: string, tool: 'cancel' | 'pay' = 'cancel'): Promise<ActionRow> {
  const key = `${subject}-${asked++}`;
  return (
    await askAction(
      services,
      agentActor(),
      askInput({ subject, tool, idempotencyKey: key, args: { id: key } }),
    )
  ).action;
}
const begin = async ({ id }: ActionRow) =>
  (await beginAction(services, agentActor(), { id, executionId: id })).action;
const complete = ({ id }: ActionRow, ok = true) =>
  completeAction(services, agentActor(), { id, executionId: id, ok });
const answer = async ({ id }: ActionRow, verdict: 'approve' | 'deny') =>
  (await answerAction(services, approverActor(), { id, verdict, reason: 'as said' })).action;
const report = ({ id }: ActionRow, metric: string, value: number) =>
  recordOutcomes(services, agentActor(), {
    agent: 'desk',
    outcomes: [{ id: `${id}-${metric}-${value}`, action: id, metric, value }],
  });

/** The candidate's counts of a metric, and its E: counted as the judge does, and again from the log alone. */
async function evidence(metric = 'wrong') {
  await countEvidence(services.db.sql);
  const rows = await services.db.sql
    .selectFrom('day_count')
    .selectAll()
    .where('metric', '=', metric)
    .execute();
  const buckets = rows
    .filter(({ arm }) => arm === 'candidate')
    .map(({ day, events, harms, known }) => ({ day, events, harms, known }))
    .sort((a, b) => a.day - b.day);
  const again = await recount(services, metric);
  expect(again.filter(({ events }) => events > 0)).toEqual(
    buckets.filter(({ events }) => events > 0).map(({ known: _, ...bucket }) => bucket),
  );
  const total = (key: 'events' | 'harms' | 'known') => buckets.reduce((sum, bucket) => sum + bucket[key], 0);
  return {
    logE: restartLogE(buckets, LIMIT),
    events: total('events'),
    harms: total('harms'),
    known: total('known'),
  };
}
const day = () => services.clock.advance(services.dayMs);

describe('a write that runs unasked', () => {
  test('is no evidence when it is asked, and is when it begins', async () => {
    const before = await evidence();
    const action = await ask('starts');
    expect(await evidence()).toEqual(before);
    await begin(action);
    expect(await evidence()).toMatchObject({ events: before.events + 1, harms: before.harms });
  });

  test('leaves when all that its conversation began that day has failed', async () => {
    const before = await evidence();
    const [one, two] = [await begin(await ask('fails')), await begin(await ask('fails'))];
    expect((await evidence()).events).toBe(before.events + 1);
    await complete(one, false);
    expect((await evidence()).events).toBe(before.events + 1);
    await complete(two, false);
    expect(await evidence()).toEqual(before);
  });

  test('stays when nobody knows what came of it, until that is known', async () => {
    const before = await evidence();
    const action = await begin(await ask('silent'));
    services.clock.advance(3_600_000);
    await sweepActions(services);
    expect((await actionById(services.db.sql, action.id)).state).toBe('unknown');
    expect((await evidence()).events).toBe(before.events + 1);
    await complete(action, false);
    expect(await evidence()).toEqual(before);
  });

  test('counts on the day it begins, not on that of the question', async () => {
    const { started_at } = await rolloutById(services.db.sql, rollout);
    const sinceStart = services.clock.now().getTime() - started_at.getTime();
    services.clock.advance(services.dayMs - (sinceStart % services.dayMs) - 5_000);
    const action = await ask('overnight');
    services.clock.advance(10_000);
    const begun = await begin(action);
    expect(begun.begun_day).toBe((action.event_day ?? 0) + 1);
    await evidence();
  });

  test('harm of a write that failed counts, and so does harm of one that was erased', async () => {
    const before = await evidence();
    const failed = await complete(await begin(await ask('half')), false);
    await report(failed, 'wrong', 1);
    expect(await evidence()).toMatchObject({ events: before.events + 1, harms: before.harms + 1 });
    const done = await complete(await begin(await ask('gone')));
    await eraseSubject(services, actorOf('admin'), { agent: 'desk', subject: 'gone', reason: 'asked to' });
    await correctAction(services, approverActor(), { id: done.id, reason: 'wrong' });
    expect(await evidence()).toMatchObject({ events: before.events + 2, harms: before.harms + 2 });
  });
});

describe('a proposal', () => {
  test('counts while it waits, as harm when it is denied or edited, and leaves when nothing came of it', async () => {
    const before = await evidence('proposal');
    const withdrawn = await ask('takes back', 'pay');
    const [denied, edited] = [await ask('denied', 'pay'), await ask('edited', 'pay')];
    expect(await evidence('proposal')).toMatchObject({ events: before.events + 3, harms: before.harms });
    await withdrawAction(services, agentActor(), { id: withdrawn.id });
    await answer(denied, 'deny');
    const { id, args_digest: digest, revision } = edited;
    await editAction(services, approverActor(), { id, args: { id: 'other' }, digest, revision });
    expect(await evidence('proposal')).toMatchObject({ events: before.events + 2, harms: before.harms + 2 });
    // What people changed stays, also when the agent then takes it back.
    await withdrawAction(services, agentActor(), { id });
    expect(await evidence('proposal')).toMatchObject({ events: before.events + 2, harms: before.harms + 2 });
  });

  test('that was approved counts for as long as it may begin or has begun', async () => {
    await sweepActions(services);
    const before = await evidence('proposal');
    const [idle, used] = [await ask('idle', 'pay'), await ask('used', 'pay')];
    await answer(idle, 'approve');
    await complete(await begin(await answer(used, 'approve')));
    expect(await evidence('proposal')).toMatchObject({ events: before.events + 2, known: before.known + 2 });
    services.clock.advance(2 * 3_600_000);
    await sweepActions(services);
    expect(await evidence('proposal')).toMatchObject({ events: before.events + 1, known: before.known + 1 });
  });
});

describe('nothing but a harmless write that began lowers E', () => {
  test('whatever is asked, dropped, denied, expired, failed or repeated', async () => {
    for (let n = 0; n < 2; n++) await report(await complete(await begin(await ask(`base-${n}`))), 'wrong', 1);
    await answer(await ask('base-pay', 'pay'), 'deny');
    const start = { wrong: await evidence(), proposal: await evidence('proposal') };
    const dice = seeded(7);
    for (let n = 0; n < 150; n++) {
      await nothingComesOf(await ask(`s-${dice(60)}`, dice(2) ? 'cancel' : 'pay'), dice(5));
      if (dice(40) === 0) day();
      if (n % 25 === 0) await sweepActions(services);
    }
    services.clock.advance(2 * 3_600_000);
    await sweepActions(services);
    const end = { wrong: await evidence(), proposal: await evidence('proposal') };
    expect(end.wrong).toEqual({ ...start.wrong, logE: expect.closeTo(start.wrong.logE, 9) });
    expect(end.proposal.logE).toBeGreaterThan(start.proposal.logE);
    expect(end.proposal.events - start.proposal.events).toBe(end.proposal.harms - start.proposal.harms);
    await complete(await begin(await ask('harmless')));
    expect((await evidence()).logE).toBeLessThan(end.wrong.logE);
  });

  test('two wrong writes among very many that were only asked still take the segment back', async () => {
    const fresh = await createTestServices();
    try {
      const id = await givenExposed(fresh);
      const outer = services;
      services = fresh;
      for (let n = 0; n < 300; n++) await ask(`only-asked-${n}`);
      for (let n = 0; n < 12; n++)
        await report(await complete(await begin(await ask(`bad-${n}`))), 'wrong', 1);
      await judgeDue(services);
      const { segments } = await rolloutStatus(services, id);
      services = outer;
      expect(segments.find(({ segment }) => segment === 'gold')).toMatchObject({ state: 'rolled_back' });
    } finally {
      await fresh.close();
    }
  });
});

/** Lets one question end in one of the ways in which nothing harmless is done. */
async function nothingComesOf(action: ActionRow, way: number): Promise<unknown> {
  if (way === 0) return undefined;
  if (way === 1) return withdrawAction(services, agentActor(), { id: action.id });
  if (action.tool === 'pay') {
    if (way === 2) return answer(action, 'deny');
    const approved = await answer(action, 'approve');
    return way === 3 ? approved : complete(await begin(approved), false);
  }
  return complete(await begin(action), false);
}

/** A small generator, so that a failure comes back. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
}
