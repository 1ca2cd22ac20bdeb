import type { Route } from '../domain/approval/approval.ts';
import { escalationsDue, routeTo } from '../domain/approval/reach.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import { changeWaiting, noteWaiting, type WaitingServices } from './change-waiting.ts';
import { openedAt } from './told.ts';

/** Passes the question on to those whose turn has come because nobody answered. Answers the row as it is now. */
export async function escalateDue(
  services: WaitingServices & Pick<Services, 'dayMs'>,
  action: ActionRow,
): Promise<ActionRow> {
  const now = services.clock.now();
  const { due } = escalationsDue(action, openedAt(action).getTime(), now.getTime(), services.dayMs);
  const routes = due.map((group) => routeTo(group, 'unanswered', action.stage, now));
  return (await passOn(services, action, routes)).action;
}

/** Lets further groups answer as well, each with its log entry. `changed: false`: the row is no longer as read. */
export async function passOn(
  services: WaitingServices,
  action: ActionRow,
  routes: readonly Route[],
): Promise<{ action: ActionRow; changed: boolean }> {
  if (routes.length === 0) return { action, changed: true };
  const now = services.clock.now();
  return changeWaiting(services, action, async (tx) => {
    const routed = JSON.stringify([...action.routed, ...routes]);
    await tx.updateTable('action').set({ routed }).where('id', '=', action.id).execute();
    for (const { group, because } of routes)
      await noteWaiting(tx, action, 'action.escalated', now, { group, because });
  });
}
