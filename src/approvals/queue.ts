import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { type Eligibility, rightToApprove } from '../domain/approval/approval.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import { withEligibility } from './eligibility.ts';

const PAGE = 500;
/** More is not told of one person's queue: nobody answers so many before they look again. */
const QUEUE_MAX = 500;

/** An action that waits, with who is what for it. */
export interface Waiting {
  action: ActionRow;
  eligibility: Eligibility;
}

/** What waits, oldest first, page by page. */
export async function* waitingActions(
  { db, clock }: Pick<Services, 'db' | 'clock'>,
  agents: readonly string[] | undefined,
): AsyncGenerator<Waiting[]> {
  if (agents?.length === 0) return;
  let after: Pick<ActionRow, 'asked_at' | 'id'> | undefined;
  do {
    let query = db.sql
      .selectFrom('open_action as open')
      .innerJoin('action', 'action.id', 'open.id')
      .selectAll('action')
      .where('open.state', '=', 'pending')
      .orderBy('open.asked_at')
      .orderBy('open.id')
      .limit(PAGE);
    // What is over is ended by the sweeper within a second; nobody is asked for it meanwhile.
    query = query.where((where) =>
      where.or([where('open.expires_at', 'is', null), where('open.expires_at', '>', clock.now())]),
    );
    if (agents) query = query.where('open.agent', 'in', agents);
    if (after) {
      const { asked_at, id } = after;
      query = query.where(({ eb, refTuple, tuple }) =>
        eb(refTuple('open.asked_at', 'open.id'), '>', tuple(asked_at, id)),
      );
    }
    const actions = await query.execute();
    yield withEligibility(db.sql, actions, clock.now());
    after = actions.length === PAGE ? actions.at(-1) : undefined;
  } while (after);
}

/** What a person may answer now, oldest first, and has not answered. */
export async function queueFor(
  services: Pick<Services, 'db' | 'clock'>,
  actor: Actor,
  { agent }: { agent?: string } = {},
): Promise<ActionRow[]> {
  const { person } = actor;
  if (!person) return [];
  const scope = agent ?? actor.agent;
  const queue: ActionRow[] = [];
  for await (const page of waitingActions(services, scope === undefined ? undefined : [scope])) {
    const may = await answerableBy(services.db.sql, person, page);
    queue.push(...may.map(({ action }) => action));
    if (queue.length >= QUEUE_MAX) break;
  }
  return queue.slice(0, QUEUE_MAX);
}

/** Of these, those the person may approve now and has not answered in their round, in the same order. */
export async function answerableBy(db: Sql, person: string, waiting: readonly Waiting[]): Promise<Waiting[]> {
  const may = waiting.filter(
    ({ action, eligibility }) => 'right' in rightToApprove(person, eligibility, action),
  );
  if (may.length === 0) return [];
  const answered = await db
    .selectFrom('decision')
    .select(['action_id', 'round'])
    .where('person', '=', person)
    .where(
      'action_id',
      'in',
      may.map(({ action }) => action.id),
    )
    .execute();
  const done = new Set(answered.map(({ action_id, round }) => `${action_id}/${round}`));
  return may.filter(({ action }) => !done.has(`${action.id}/${action.round}`));
}
