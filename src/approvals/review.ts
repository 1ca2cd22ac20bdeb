import { type Actor, type Role, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { BREAK_GLASS_SLOT } from '../domain/approval/approval.ts';
import { isNamed, isSame } from '../domain/naming.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { type ActionRow, actionById, ownAction } from '../records/action.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';

const LISTED_MAX = 200;
const REVIEWERS: readonly Role[] = ['release-manager', 'auditor'];

/** What a reviewer says of an approval that one person gave alone. */
export interface ReviewInput {
  id: string;
  justified: boolean;
  note: string;
}

/** An action that one person approved alone, and why they said they did. */
export interface BrokenGlass {
  action: ActionRow;
  person: string;
  at: Date;
  via: string;
  reason: string;
}

/**
 * A second person's word on a broken glass, once: an owner, a release manager or an auditor, but never whoever broke
 * it, was stood in for or had asked. Repeating the same words changes nothing.
 * @throws AppError `forbidden`, `not_eligible`, `wrong_state`
 */
export async function reviewBreakGlass(
  services: Services,
  actor: Actor,
  { id, justified, note }: ReviewInput,
): Promise<ActionRow> {
  requireRole(actor, ['release-manager', 'auditor', 'approver', 'on-call']);
  const action = await ownAction(services.db.sql, actor, id);
  requireReason(note, 'review');
  if (!action.break_glass)
    throw new AppError('wrong_state', `Cannot review action ${id}: nobody broke the glass for it`);
  const person = await reviewerOf(services, actor, action);
  const isSame =
    action.reviewed_by === person && action.review?.justified === justified && action.review.note === note;
  if (isSame) return action;
  const now = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    const reviewed = await tx
      .updateTable('action')
      .set({ reviewed_by: person, reviewed_at: now, review: JSON.stringify({ justified, note }) })
      .where('id', '=', id)
      .where('reviewed_at', 'is', null)
      .executeTakeFirst();
    if (reviewed.numUpdatedRows === 0n)
      throw new AppError('wrong_state', `Cannot review action ${id}: it was reviewed already`);
    await appendEntry(tx, {
      kind: 'action.reviewed',
      agent: action.agent,
      ref: id,
      at: now,
      actor: person,
      data: { justified, note, via: actor.via, identity: actor.identity },
    });
    await tx.insertInto('outbox').values({ topic: 'action', key: id, payload: '{}' }).execute();
  });
  services.wake();
  return actionById(services.db.sql, id);
}

/** Approvals given alone that nobody has reviewed yet, the oldest first. */
export async function listUnreviewed(db: Sql, { agent }: { agent?: string } = {}): Promise<BrokenGlass[]> {
  let query = db
    .selectFrom('action')
    .selectAll()
    .where('break_glass', '=', true)
    .where('reviewed_at', 'is', null)
    .orderBy('decided_at')
    .orderBy('id')
    .limit(LISTED_MAX);
  if (agent) query = query.where('agent', '=', agent);
  const actions = await query.execute();
  if (actions.length === 0) return [];
  const ids = actions.map(({ id }) => id);
  const breakers = await db
    .selectFrom('decision')
    .selectAll()
    .where('action_id', 'in', ids)
    .where('slot', '=', BREAK_GLASS_SLOT)
    .execute();
  return actions.flatMap((action) => {
    const one = breakers.find(({ action_id, round }) => action_id === action.id && round === action.round);
    if (!one) return [];
    return [{ action, person: one.person, at: one.at, via: one.via, reason: one.reason ?? '' }];
  });
}

/** The person who reviews, if they may. @throws AppError `forbidden`, `not_eligible` */
export async function reviewerOf(
  services: Pick<Services, 'db'>,
  actor: Actor,
  action: ActionRow,
): Promise<string> {
  const cannot = (why: string) => new AppError('not_eligible', `Cannot review action ${action.id}: ${why}`);
  const { person } = actor;
  if (!person) throw cannot('the token stands for no person');
  const agent = await manifestOf(services.db.sql, action.agent);
  const mayByRole = REVIEWERS.some((role) => actor.roles.includes(role));
  if (!mayByRole && !agent.owners.includes(person))
    throw new AppError(
      'forbidden',
      `${person} may not review action ${action.id}: it takes an owner, a release manager or an auditor`,
      { roles: REVIEWERS },
    );
  const involved = await services.db.sql
    .selectFrom('decision')
    .select(['person', 'for_person'])
    .where('action_id', '=', action.id)
    .where('round', '=', action.round)
    .where('verdict', '=', 'approve')
    .execute();
  if (involved.some((one) => one.person === person || one.for_person === person))
    throw cannot(`${person} approved it, and somebody else must look at it`);
  if (isSame(agent, person, action.asked_by) || isNamed(agent, person, action.behind))
    throw cannot(`it was asked for ${person}, and somebody else must look at it`);
  return person;
}
