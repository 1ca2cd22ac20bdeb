import type { Actor } from '../actor.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';

/** Remembers when a person who may be asked first looked at an action that waits: how long they took is measured by it. */
export async function noteSeen(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  action: Pick<ActionRow, 'id' | 'state'>,
): Promise<void> {
  if (!actor.person || action.state !== 'pending') return;
  await db.sql
    .insertInto('seen')
    .values({ action_id: action.id, person: actor.person, at: clock.now(), via: actor.via })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
