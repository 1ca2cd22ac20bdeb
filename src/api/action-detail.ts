import type { Actor, Role } from '../actor.ts';
import { type DeniedBefore, deniedBefore } from '../approvals/denied-before.ts';
import type { StandingWish } from '../db/tables-action.ts';
import { type AskedPerson, askedOf, type QueuePlace, queueOf } from '../reaching/asked.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';

/** What is known of an action's wait: its place in the queue, who was asked how, and what else an approval approves. */
export interface ActionDetail {
  queue?: QueuePlace;
  asked?: AskedPerson[];
  standingWish?: StandingWish;
  deniedBefore?: (Omit<DeniedBefore, 'at' | 'reason'> & { at: string; reason?: string })[];
}

const FOLLOWERS: readonly Role[] = ['approver', 'release-manager'];

/** The same while the reader may follow it: those who decide and manage always, the agent itself while it waits. */
export async function detailFor(services: Services, actor: Actor, action: ActionRow): Promise<ActionDetail> {
  const isOwn = actor.roles.includes('agent') && actor.agent === action.agent && action.state === 'pending';
  const mayFollow = isOwn || actor.roles.some((role) => FOLLOWERS.includes(role));
  return mayFollow && action.approval ? detailOf(services, action) : {};
}

/** What is known of it; nothing is asked of people where policy decided. */
export async function detailOf({ db, clock }: Services, action: ActionRow): Promise<ActionDetail> {
  if (!action.approval || action.standing_id) return {};
  const queue = await queueOf(db.sql, action);
  const denied = await deniedBefore(db.sql, action);
  return {
    ...(queue && { queue }),
    ...(denied.length > 0 && {
      deniedBefore: denied.map(({ at, reason, ...one }) => ({
        ...one,
        at: at.toISOString(),
        ...(reason !== null && { reason }),
      })),
    }),
    asked: await askedOf(db.sql, action, clock.now()),
    ...(action.state === 'pending' && action.standing_wish ? { standingWish: action.standing_wish } : {}),
  };
}
