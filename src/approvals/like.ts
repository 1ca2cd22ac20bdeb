import type { ActionRow } from '../actions/store.ts';
import type { Sql } from '../db/database.ts';
import type { ActionState } from '../domain/action.ts';

const LOOKED_BACK_MAX = 2_000;
const COUNTED_MAX = 50;
const GONE_AHEAD: readonly ActionState[] = ['approved', 'executing', 'executed'];

/**
 * The last action like this one that went ahead: same agent, tool and segment, decided before this one was asked, so
 * that the answer stays what it is. Only those whose arguments are still kept; looked for among the last 2,000 of the
 * agent. `undefined`: the first of its kind.
 */
export function lastLike(
  db: Sql,
  action: Pick<ActionRow, 'id' | 'agent' | 'tool' | 'segment' | 'asked_at'>,
): Promise<ActionRow | undefined> {
  const before = db
    .selectFrom('action')
    .selectAll()
    .where('agent', '=', action.agent)
    .where('asked_at', '<=', action.asked_at)
    .where('id', '<>', action.id)
    .orderBy('asked_at', 'desc')
    .orderBy('id')
    .limit(LOOKED_BACK_MAX);
  return db
    .selectFrom(before.as('like'))
    .selectAll()
    .where('tool', '=', action.tool)
    .where('segment', 'is not distinct from', action.segment)
    .where('state', 'in', GONE_AHEAD)
    .where('decided_at', '<=', action.asked_at)
    .where((where) =>
      where.exists(
        where
          .selectFrom('action_private')
          .select('action_id')
          .whereRef('action_private.action_id', '=', 'like.id'),
      ),
    )
    .orderBy('decided_at', 'desc')
    .orderBy('id')
    .limit(1)
    .executeTakeFirst();
}

/** How many others wait and are like it, as a batch takes them: same grant and release too; counted up to 50. */
export async function waitingLike(
  db: Sql,
  action: Pick<ActionRow, 'id' | 'agent' | 'tool' | 'grant_name' | 'release' | 'segment'>,
): Promise<number> {
  const others = db
    .selectFrom('action')
    .select('id')
    .where('agent', '=', action.agent)
    .where('tool', '=', action.tool)
    .where('state', '=', 'pending')
    .where('grant_name', 'is not distinct from', action.grant_name)
    .where('release', 'is not distinct from', action.release)
    .where('segment', 'is not distinct from', action.segment)
    .where('id', '<>', action.id)
    .limit(COUNTED_MAX);
  const { count } = await db
    .selectFrom(others.as('other'))
    .select((select) => select.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(count);
}
