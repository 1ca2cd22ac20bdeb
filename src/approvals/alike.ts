import type { Sql } from '../db/database.ts';
import type { ActionState } from '../domain/action.ts';
import { type ActionRow, actionById } from '../records/action.ts';

const COUNTED_MAX = 50;
const WENT_AHEAD: readonly ActionState[] = ['approved', 'executing', 'executed'];

/**
 * The last action like this one that went ahead: same agent, tool and segment, decided before this one was asked, so
 * that the answer stays what it is, and with its arguments still kept. `undefined`: the first of its kind.
 */
export async function lastLike(
  db: Sql,
  { id, agent, tool, segment, asked_at }: Pick<ActionRow, 'id' | 'agent' | 'tool' | 'segment' | 'asked_at'>,
): Promise<ActionRow | undefined> {
  const found = await db
    .selectFrom('action')
    .innerJoin('action_private', 'action_private.action_id', 'action.id')
    .select('action.id')
    .where('agent', '=', agent)
    .where('tool', '=', tool)
    .where('segment', segment === null ? 'is' : '=', segment)
    .where('state', 'in', WENT_AHEAD)
    .where('decided_at', '<=', asked_at)
    .where('action.id', '<>', id)
    .orderBy('decided_at', 'desc')
    .orderBy('action.id')
    .limit(1)
    .executeTakeFirst();
  return found && actionById(db, found.id);
}

/** What waits and is like it: same agent, tool, grant, release and segment, itself included. */
export const alike = (
  db: Sql,
  action: Pick<ActionRow, 'agent' | 'tool' | 'grant_name' | 'release' | 'segment'>,
) =>
  db
    .selectFrom('open_action as open')
    .innerJoin('action', 'action.id', 'open.id')
    .where('open.agent', '=', action.agent)
    .where('open.tool', '=', action.tool)
    .where('open.state', '=', 'pending')
    .where('action.grant_name', 'is not distinct from', action.grant_name)
    .where('action.release', 'is not distinct from', action.release)
    .where('action.segment', 'is not distinct from', action.segment);

/** How many others wait and are like it, as a batch takes them: same grant and release too; counted up to 50. */
export async function waitingLike(
  db: Sql,
  action: Pick<ActionRow, 'id' | 'agent' | 'tool' | 'grant_name' | 'release' | 'segment'>,
): Promise<number> {
  const others = alike(db, action).select('action.id').where('action.id', '<>', action.id).limit(COUNTED_MAX);
  const { count } = await db
    .selectFrom(others.as('other'))
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
