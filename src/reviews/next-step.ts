import type { Sql } from '../db/database.ts';
import type { WrittenReview } from '../domain/review/cycle.ts';
import { addFollowUp, commitIn } from '../follow-ups/propose.ts';
import type { CycleRow } from './cycle-list.ts';

/**
 * Makes what is done next a follow-up that its owner is committed to until the end of the day that is named, in the
 * transaction that writes the review.
 */
export async function planNext(
  tx: Sql,
  { id: review, agent }: CycleRow,
  { next }: WrittenReview,
  who: { by: string; at: Date; dayMs: number },
): Promise<void> {
  const id = await addFollowUp(tx, { agent, sentence: next.sentence, review }, who);
  const dueAt = new Date(`${next.by}T23:59:59Z`);
  await commitIn(tx, id, { owner: next.owner, dueAt }, who);
  await tx.updateTable('cycle_review').set({ follow_up_id: id }).where('id', '=', review).execute();
}
