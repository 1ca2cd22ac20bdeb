import { nextReminder } from '../domain/approval/reminders.ts';
import type { ActionRow } from '../records/action.ts';
import { changeWaiting, noteWaiting, type WaitingServices } from './change-waiting.ts';

type Reminded = Pick<ActionRow, 'asked_at' | 'expires_at' | 'remind_at' | 'reminders'>;

/** When people are reminded next of what waits, in epoch milliseconds; may have passed. `undefined`: not again. */
export function reminderDueMs({ asked_at, expires_at, remind_at, reminders }: Reminded): number | undefined {
  if (!expires_at || !remind_at) return undefined;
  const askedAtMs = asked_at.getTime();
  const firstMs = remind_at.getTime() - askedAtMs;
  return nextReminder({ askedAtMs, expiresAtMs: expires_at.getTime(), firstMs, sent: reminders });
}

/**
 * Counts a reminder that went out, with those that came due while nobody could be reminded: they are not made up for.
 * Answers the row as it is now.
 */
export async function countReminder(
  services: WaitingServices,
  action: ActionRow,
  people: readonly string[],
): Promise<ActionRow> {
  const now = services.clock.now();
  let reminders = action.reminders + 1;
  while ((reminderDueMs({ ...action, reminders }) ?? Number.POSITIVE_INFINITY) <= now.getTime())
    reminders += 1;
  const counted = await changeWaiting(services, action, async (tx) => {
    await tx.updateTable('action').set({ reminders }).where('id', '=', action.id).execute();
    await noteWaiting(tx, action, 'action.reminded', now, { reminders, people: [...people] });
  });
  return counted.action;
}
