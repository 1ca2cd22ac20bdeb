import { expect, test } from 'vitest';
import { calibration, cycleReviewById, listCycleReviews } from '../../../src/reviews/cycle-list.ts';
import { followCycles } from '../../../src/reviews/follow-cycles.ts';
import { secondCycleReview, writeCycleReview } from '../../../src/reviews/write.ts';
import { judgeDue } from '../../../src/rollouts/judge.ts';
import { startRollout } from '../../../src/rollouts/start.ts';
import { runRolloutVerb } from '../../../src/rollouts/verbs.ts';
import { actorOf, managerActor, onCallActor } from '../../support/fixtures.ts';
import { givenReviewed, reviewInput } from '../../support/reviews.ts';
import { describeWithServices, type TestServices } from '../../support/services.ts';
import { NONE_YET } from '../../support/start.ts';
import { givenCancelled, givenExposed, report } from '../rollouts/support.ts';

const DAY_MS = 86_400_000;
const start = (services: TestServices) =>
  startRollout(services, managerActor(), {
    agent: 'desk',
    release: '2',
    reason: 'again',
    noneYet: NONE_YET,
  });

async function owed(services: TestServices) {
  return (await listCycleReviews(services.db.sql, { agent: 'desk', owed: true })).reverse();
}

describeWithServices('the review of a cycle', (make) => {
  test('is opened by what ends the cycle, and the next start waits for it', async () => {
    const services = await make();
    const id = await givenExposed(services);
    await givenReviewed(services);
    for (let n = 0; n < 9; n++) await report(services, await givenCancelled(services, `c-${n}`), 1);
    await judgeDue(services);
    await runRolloutVerb(services, managerActor(), { id, verb: 'rollback', reason: 'start anew' });
    const [review, ...others] = await owed(services);
    if (!review) throw new Error('no review');
    // The breach of gold and the rollback of all: one review.
    expect(others).toEqual([]);
    expect(review).toMatchObject({ ending: 'rolled_back', rollout_id: id, release: '2', state: 'due' });
    // Guard: requireReviewed in startRollout.
    await expect(start(services)).rejects.toMatchObject({
      code: 'review_due',
      message: expect.stringContaining(review.id),
      details: { hint: expect.stringContaining(`reviews cycle write ${review.id}`) },
    });
    await followCycles(services);
    const [seen] = await owed(services);
    expect(seen).toMatchObject({ recommendation: 'roll_back' });
    expect(seen?.facts).toMatchObject({
      guardrails: [],
      switches: [],
      cost: null,
      verdicts: expect.arrayContaining([
        expect.objectContaining({ segment: 'gold', metric: 'wrong', verdict: 'breach', events: 9, harms: 9 }),
      ]),
    });
    expect(seen?.facts?.releaseDiff.length).toBeGreaterThan(0);
    await givenReviewed(services);
    await services.db.sql.deleteFrom('none_yet').execute();
    await expect(start(services)).resolves.toMatchObject({ release: '2' });
  });

  test('is written once, by an owner, within its limits; against the recommendation by two', async () => {
    const services = await make();
    await givenExposed(services);
    const [review] = await owed(services);
    if (!review) throw new Error('no review');
    const input = reviewInput(services.clock.now());
    const write = (more: Partial<typeof input>, actor = managerActor()) =>
      writeCycleReview(services, actor, review.id, { ...input, ...more });
    // Guard: requireOwner.
    await expect(write({}, actorOf('approver', { person: 'ana' }))).rejects.toMatchObject({
      code: 'forbidden',
    });
    // Guard: reviewProblems.
    const next = { ...input.next, sentence: `Ask ${'word '.repeat(200)}`, owner: 'nobody' };
    await expect(write({ next })).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringMatching(/at most 200[\s\S]*"nobody" is none of/),
    });
    // Nothing is known yet: the criteria say to look first.
    await expect(write({ decision: 'go_on' })).resolves.toMatchObject({
      state: 'awaiting_second',
      recommendation: 'review',
    });
    await expect(write({})).rejects.toMatchObject({ code: 'wrong_state' });
    // What is done next is a promise from then on, once. Guard: planNext in writeCycleReview.
    const { follow_up_id: id } = await cycleReviewById(services.db.sql, managerActor(), review.id);
    expect(await services.db.sql.selectFrom('follow_up').selectAll().execute()).toMatchObject([
      {
        id,
        agent: 'desk',
        review_id: review.id,
        incident_id: null,
        sentence: input.next.sentence,
        owner: 'olga',
        state: 'committed',
        severity: 'normal',
        due_at: new Date(`${input.next.by}T23:59:59Z`),
        done: { kind: 'link', what: input.next.sentence },
      },
    ]);
    await expect(
      startRollout(services, managerActor(), { agent: 'desk', release: '2', reason: 'x', supersede: true }),
    ).rejects.toMatchObject({ code: 'review_due', message: expect.stringContaining('nobody besides olga') });
    // Guard: the second is another person.
    const second = (actor: ReturnType<typeof managerActor>) =>
      secondCycleReview(services, actor, review.id, 'The night shift is covered');
    await expect(second(managerActor())).rejects.toMatchObject({ code: 'forbidden' });
    const cleo = { ...onCallActor('cleo'), roles: ['release-manager' as const] };
    await expect(second(cleo)).resolves.toMatchObject({ state: 'written', seconded_by: 'cleo' });
  });

  test('is reminded of, and what it predicted is scored when its day is over', async () => {
    const services = await make();
    await givenExposed(services);
    services.clock.advance(4 * DAY_MS);
    await followCycles(services);
    const kinds = () =>
      services.db.sql.selectFrom('alert').select('kind').where('kind', '=', 'review.due').execute();
    const told = (await kinds()).length;
    expect(told).toBe(1);
    await followCycles(services);
    expect((await kinds()).length).toBe(told);
    const [review] = await owed(services);
    await writeCycleReview(services, managerActor(), review?.id ?? '', {
      ...reviewInput(services.clock.now()),
      decision: 'review',
    });
    services.clock.advance(DAY_MS);
    for (let n = 0; n < 25; n++) await report(services, await givenCancelled(services, `c-${n}`), 0);
    await judgeDue(services);
    expect(await calibration(services.db.sql, 'desk')).toMatchObject([{ open: 1 }]);
    services.clock.advance(8 * DAY_MS);
    await followCycles(services);
    expect(await calibration(services.db.sql, 'desk')).toEqual([
      { team: 'desk / olga', hit: 1, miss: 0, notMeasurable: 0, open: 0 },
    ]);
  });
});
