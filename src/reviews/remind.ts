import { workingDaysAfter } from '../domain/working-days.ts';
import { raiseAlert } from '../records/alert.ts';
import type { Services } from '../services.ts';

/** A review is due within so many working days. */
export const REVIEW_DUE_DAYS = 3;
/** Before, at and after the day, and then no more: `start` waits for it anyway. */
const REMIND_AT_DAYS = [2, 3, 5] as const;
const REMINDED_AT_ONCE = 50;

/** When the review of a cycle is due. */
export const cycleDueAt = (openedAt: Date, dayMs: number): Date =>
  workingDaysAfter(openedAt, REVIEW_DUE_DAYS, dayMs);

/** Tells on-call of reviews that are owed: the day before they are due, then, and two days after. @returns how many */
export async function remindOfReviews(services: Services): Promise<number> {
  const db = services.db.sql;
  const now = services.clock.now();
  const owed = await db
    .selectFrom('cycle_review')
    .select(['id', 'agent', 'rollout_id', 'because', 'opened_at', 'reminders', 'state'])
    .where('settled_at', 'is', null)
    .where('reminders', '<', REMIND_AT_DAYS.length)
    .orderBy('opened_at')
    .limit(REMINDED_AT_ONCE)
    .execute();
  let told = 0;
  for (const row of owed) {
    const passed = REMIND_AT_DAYS.filter(
      (days) => workingDaysAfter(row.opened_at, days, services.dayMs) <= now,
    ).length;
    if (passed <= row.reminders) continue;
    await db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('cycle_review')
        .set({ reminders: passed })
        .where('id', '=', row.id)
        .where('reminders', '=', row.reminders)
        .where('settled_at', 'is', null)
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return;
      const due = cycleDueAt(row.opened_at, services.dayMs);
      const { id, rollout_id: rollout, because, state } = row;
      await raiseAlert(tx, 'review.due', row.agent, now, {
        review: id,
        rollout,
        because,
        state,
        dueAt: due.toISOString(),
        overdue: now > due,
      });
      told++;
    });
  }
  return told;
}
