import { sql } from 'kysely';
import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { SupersededBecause } from '../domain/action.ts';
import type { Agent } from '../domain/agent.ts';
import { isNamed, namedKeys, namingNobody } from '../domain/naming.ts';
import { BEHIND_MAX } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { type ActionRow, actionById, lockedAction } from '../records/action.ts';
import { appendEntry } from '../records/log-entry.ts';
import { manifestOf } from '../records/manifest.ts';
import { moveAction } from '../records/move.ts';
import type { Services } from '../services.ts';

/**
 * A repeated question that names somebody more who is behind it adds them, so that they cannot approve. What people saw
 * before is outdated by it. If somebody who approved already is named, or nobody at all where the release is strict about
 * it, the action is void. Naming the same again changes nothing.
 * @throws AppError `invalid_input` beyond what one action may name
 */
export async function addBehind(
  services: Services,
  actor: Actor,
  id: string,
  named: readonly string[],
): Promise<ActionRow> {
  const known = await actionById(services.db.sql, id);
  if (missingIn(known, named).length === 0) return known;
  const now = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    const action = await lockedAction(tx, id);
    const added = missingIn(action, named);
    if (added.length === 0) return;
    const behind = [...action.behind, ...added];
    if (behind.length > BEHIND_MAX)
      throw new AppError(
        'invalid_input',
        `Cannot name ${behind.length} behind action ${id}: at most ${BEHIND_MAX}`,
      );
    await tx
      .updateTable('action')
      .set({
        behind: JSON.stringify(behind),
        behind_keys: JSON.stringify(namedKeys(behind)),
        revision: sql`revision + 1`,
      })
      .where('id', '=', id)
      .execute();
    await appendEntry(tx, {
      kind: 'action.behind_added',
      agent: action.agent,
      ref: id,
      at: now,
      actor: actor.id,
      data: { added: added.length, revision: action.revision + 1 },
    });
    await voidIfNot(tx, { ...action, revision: action.revision + 1 }, added, now, actor);
    await tx.insertInto('outbox').values({ topic: 'action', key: id, payload: '{}' }).execute();
  });
  services.wake();
  return actionById(services.db.sql, id);
}

const missingIn = ({ behind }: ActionRow, named: readonly string[]): string[] => [
  ...new Set(named.filter((name) => !behind.includes(name))),
];

/** What has begun stays as it is: then it is for the record alone. */
async function voidIfNot(
  tx: Sql,
  action: ActionRow,
  added: readonly string[],
  now: Date,
  actor: Actor,
): Promise<void> {
  if (action.state !== 'pending' && action.state !== 'approved') return;
  const agent = await manifestOf(tx, action.agent);
  const because = await whyVoid(tx, action, agent, added);
  if (because === undefined) return;
  await moveAction(tx, action, 'superseded', 'action.superseded', now, actor.id, { because });
}

async function whyVoid(
  tx: Sql,
  action: ActionRow,
  agent: Agent,
  added: readonly string[],
): Promise<SupersededBecause | undefined> {
  if (action.approval?.strictBehind && namingNobody(agent, added).length > 0) return 'behind_unknown';
  const approvals = await tx
    .selectFrom('decision')
    .select(['person', 'for_person'])
    .where('action_id', '=', action.id)
    .where('round', '=', action.round)
    .where('verdict', '=', 'approve')
    .execute();
  const wasNamed = approvals.some(
    (one) => isNamed(agent, one.person, added) || isNamed(agent, one.for_person, added),
  );
  return wasNamed ? 'approver_lost_standing' : undefined;
}
