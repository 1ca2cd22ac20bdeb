import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { segmentNames } from '../domain/agent.ts';
import { MECHANISM_NAMES } from '../domain/incident/mechanisms.ts';
import { doneBy, reviewProblems, type WrittenReview } from '../domain/review/cycle.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import { requireOwner } from '../records/owner.ts';
import type { Services } from '../services.ts';
import { gatherFacts } from './cycle-facts.ts';
import { type CycleRow, cycleReviewById } from './cycle-list.ts';
import { planNext } from './next-step.ts';
import { scorePredictions } from './score.ts';

/**
 * Writes the review of a cycle, once; the predictions that are due are scored with it. Deciding what the frozen criteria do
 * not recommend waits for a second owner (`secondCycleReview`).
 * @throws AppError `forbidden` for who owns nothing here, `invalid_input` with every problem at once, `wrong_state`
 */
export async function writeCycleReview(
  services: Services,
  actor: Actor,
  id: string,
  review: WrittenReview,
): Promise<CycleRow> {
  requireRole(actor, ['approver', 'release-manager']);
  const db = services.db.sql;
  const row = await gatherFacts(services, await cycleReviewById(db, actor, id));
  const { person } = await requireOwner(services, actor, row, 'write a review');
  if (row.state !== 'due')
    throw new AppError('wrong_state', `Cannot write review ${id}: ${row.written_by} did`, {
      hint: 'What was written stays; the next cycle has a review of its own',
    });
  const now = services.clock.now();
  const manifest = await manifestOf(db, row.agent);
  const problems = reviewProblems(
    review,
    {
      people: Object.keys(manifest.people),
      metrics: Object.keys(manifest.metrics),
      segments: segmentNames(manifest),
    },
    MECHANISM_NAMES,
    now.toISOString().slice(0, 10),
  );
  if (problems.length > 0)
    throw new AppError('invalid_input', `Cannot write review ${id}:\n- ${problems.join('\n- ')}`, {
      problems,
    });
  const decision = review.decision ?? doneBy(row.ending);
  const isAgainst = decision !== row.recommendation;
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('cycle_review')
      .set({
        state: isAgainst ? 'awaiting_second' : 'written',
        decision,
        body: JSON.stringify(review),
        written_by: person,
        written_at: now,
        settled_at: isAgainst ? null : now,
        prediction: 'open',
        prediction_due: new Date(`${review.prediction.by}T00:00:00Z`),
      })
      .where('id', '=', id)
      .where('state', '=', 'due')
      .executeTakeFirst();
    if (numUpdatedRows === 0n)
      throw new AppError('conflict', `Cannot write review ${id}: somebody wrote it meanwhile`);
    await logReview(tx, actor, row, 'review.written', now, {
      decision,
      recommendation: row.recommendation,
      mechanism: review.cause.mechanism,
    });
    await planNext(tx, row, review, { by: person, at: now, dayMs: services.dayMs });
  });
  await scorePredictions(services, row.agent);
  return cycleReviewById(db, actor, id);
}

/**
 * Another owner stands for a decision that the criteria do not recommend.
 * @throws AppError `forbidden` for the writer and for who owns nothing here, `wrong_state`
 */
export async function secondCycleReview(
  services: Services,
  actor: Actor,
  id: string,
  reason: string,
): Promise<CycleRow> {
  requireRole(actor, ['approver', 'release-manager']);
  requireReason(reason, 'second a review');
  const db = services.db.sql;
  const row = await cycleReviewById(db, actor, id);
  const person = await requireSecond(services, actor, row);
  if (row.state !== 'awaiting_second')
    throw new AppError('wrong_state', `Cannot second review ${id}: it waits for nobody, it is ${row.state}`);
  if (person === row.written_by)
    throw new AppError('forbidden', `${person} wrote review ${id}: another person stands for it`);
  const now = services.clock.now();
  await db.transaction().execute(async (tx) => {
    const { numUpdatedRows } = await tx
      .updateTable('cycle_review')
      .set({ state: 'written', seconded_by: person, seconded_at: now, settled_at: now })
      .where('id', '=', id)
      .where('state', '=', 'awaiting_second')
      .executeTakeFirst();
    if (numUpdatedRows === 0n)
      throw new AppError('conflict', `Cannot second review ${id}: it changed meanwhile`);
    await logReview(tx, actor, row, 'review.seconded', now, { decision: row.decision, reason });
  });
  return cycleReviewById(db, actor, id);
}

/** The second is an owner, or whoever is on call: an agent may have one owner only. */
async function requireSecond(services: Services, actor: Actor, row: CycleRow): Promise<string> {
  const { onCall = [] } = await manifestOf(services.db.sql, row.agent);
  if (actor.person && onCall.includes(actor.person)) return actor.person;
  return (await requireOwner(services, actor, row, 'second a review')).person;
}

const logReview = (
  tx: Sql,
  actor: Actor,
  { id, agent, rollout_id: rollout }: CycleRow,
  kind: string,
  at: Date,
  data: Record<string, unknown>,
) =>
  appendEntry(tx, {
    kind,
    agent,
    ref: id,
    at,
    actor: actor.id,
    data: { rollout, ...data, via: actor.via, identity: actor.identity },
  });
