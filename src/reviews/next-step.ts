import type { Sql } from '../db/database.ts';
import type { WrittenReview } from '../domain/review/cycle.ts';
import type { CycleRow } from './cycle-list.ts';

/** Until follow-ups are in the house, what is done next stands in the review alone. */
export async function planNext(
  _tx: Sql,
  _row: CycleRow,
  _review: WrittenReview,
  _who: { by: string; at: Date },
): Promise<void> {}
