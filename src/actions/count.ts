import { sql, type Updateable } from 'kysely';
import { startStandingApproval } from '../approvals/standing-approvals.ts';
import type { Actor, Services } from '../context.ts';
import type { Sql } from '../db/database.ts';
import type { ActionTable, StandingWish } from '../db/tables-action.ts';
import type { Agent } from '../domain/agent.ts';
import { BREAK_GLASS_SLOT, type Right, tallyStage } from '../domain/approval.ts';
import { raiseAlert } from '../incidents/alert.ts';
import { appendEntry } from '../log/append.ts';
import { knowEvent, metricsOf } from '../outcomes/event.ts';
import type { DecisionInput } from './decide.ts';
import { moveAction } from './move.ts';
import type { ActionRow } from './store.ts';

/** One answer that may be counted: everything about it has been checked. */
export interface Countable {
  person: string;
  action: ActionRow;
  agent: Agent;
  right: Right;
  input: DecisionInput;
  standingWish?: StandingWish | undefined;
}

/** Writes the answer and what follows from it: the next stage, the end of the wait, or one more of the quorum. */
export async function countDecision(
  services: Services,
  tx: Sql,
  actor: Actor,
  countable: Countable,
): Promise<void> {
  const { person, action, agent, right, input } = countable;
  const now = services.clock.now();
  await writeAnswer(services, tx, actor, countable);
  const data = {
    verdict: input.verdict,
    via: actor.via,
    identity: actor.identity,
    argsDigest: action.args_digest,
    seenRevision: input.revision ?? null,
    reason: input.reason ?? null,
    ...(action.round > 0 ? { round: action.round } : {}),
    ...(right.for === person ? {} : { for: right.for }),
    ...(input.breakGlass ? { breakGlass: true } : {}),
  };
  if (input.verdict === 'deny') {
    await update(tx, action, { deny_reason: input.reason ?? null, decided_by: 'person', decided_at: now });
    await moveAction(tx, action, 'denied', 'action.denied', now, person, data);
    for (const metric of metricsOf(agent, action, 'denials')) await knowEvent(tx, action, metric, 1, now);
    return;
  }
  const wish = countable.standingWish ?? action.standing_wish;
  const end = input.breakGlass ? 'approved' : await closeStage(tx, action);
  if (countable.standingWish) await keepWish(tx, action, countable.standingWish, end !== 'approved');
  if (end !== 'approved') {
    const entry = { agent: action.agent, ref: action.id, at: now, actor: person };
    await appendEntry(tx, { ...entry, kind: 'action.decision', data: { ...data, stage: action.stage } });
    if (end === 'next') {
      await update(tx, action, { stage: action.stage + 1, reach: null });
      await appendEntry(tx, { ...entry, kind: 'action.stage', data: { stage: action.stage + 1 } });
    }
    await tx.insertInto('outbox').values({ topic: 'action', key: action.id, payload: '{}' }).execute();
    return;
  }
  const breakGlass = input.breakGlass ?? false;
  await update(tx, action, { decided_by: 'person', decided_at: now, break_glass: breakGlass });
  await moveAction(tx, action, 'approved', 'action.approved', now, person, data);
  if (breakGlass) await tellOfBrokenGlass(tx, countable, now);
  else if (wish) await startStandingApproval(tx, action, wish, now);
  for (const metric of metricsOf(agent, action, 'denials')) await knowEvent(tx, action, metric, 0, now);
}

/** Whoever answers next answers the wish too: what was shown before it is outdated. */
const keepWish = (tx: Sql, action: ActionRow, wish: StandingWish, othersFollow: boolean) =>
  tx
    .updateTable('action')
    .set({
      standing_wish: JSON.stringify(wish),
      ...(othersFollow ? { revision: sql<number>`revision + 1` } : {}),
    })
    .where('id', '=', action.id)
    .execute();

const update = (tx: Sql, action: ActionRow, set: Updateable<ActionTable>) =>
  tx.updateTable('action').set(set).where('id', '=', action.id).execute();

async function writeAnswer(
  services: Services,
  tx: Sql,
  actor: Actor,
  { person, action, right, input }: Countable,
): Promise<void> {
  const glass = input.breakGlass ? right.options[0] : undefined;
  const answer = {
    stage: action.stage,
    for_person: right.for,
    deputy_id: right.deputy ?? null,
    options: JSON.stringify(right.options),
    slot: glass ? BREAK_GLASS_SLOT : null,
    grp: glass?.group ?? null,
    shown_at: await shownAt(tx, action, actor),
    verdict: input.verdict,
    at: services.clock.now(),
    via: actor.via,
    identity: actor.identity,
    seen_revision: input.revision ?? null,
    seen_digest: input.digest ?? null,
    reason: input.reason ?? null,
  };
  await tx
    .insertInto('decision')
    .values({ action_id: action.id, round: action.round, person, ...answer })
    .onConflict((conflict) => conflict.columns(['action_id', 'round', 'person']).doUpdateSet(answer))
    .execute();
}

/** When this person could first see it: their own look at the page, else the first card. */
async function shownAt(tx: Sql, action: ActionRow, { person, via }: Actor): Promise<Date | null> {
  const { rows } = await sql<{ looked: Date | null; posted: Date | null }>`
    SELECT (SELECT at FROM seen WHERE action_id = ${action.id} AND person = ${person ?? ''}) AS looked,
      (SELECT min(posted_at) FROM card WHERE ref = ${action.id}) AS posted`.execute(tx);
  return rows[0]?.looked ?? (via === 'slack' ? (rows[0]?.posted ?? null) : null);
}

/** Writes down which slot each approval of the stage fills, once all are filled. */
async function closeStage(tx: Sql, action: ActionRow): Promise<'open' | 'next' | 'approved'> {
  const approvals = await tx
    .selectFrom('decision')
    .select(['person', 'options'])
    .where('action_id', '=', action.id)
    .where('round', '=', action.round)
    .where('stage', '=', action.stage)
    .where('verdict', '=', 'approve')
    .orderBy('at')
    .orderBy('person')
    .execute();
  const stages = action.approval?.stages ?? [];
  const { filled, slots } = tallyStage(stages[action.stage] ?? [], action.stage, approvals);
  if (!filled) return 'open';
  for (const { person, options } of approvals) {
    const slot = slots.get(person);
    const grp = options.find((option) => option.slot === slot)?.group;
    if (slot === undefined || grp === undefined) continue;
    await tx
      .updateTable('decision')
      .set({ slot, grp })
      .where('action_id', '=', action.id)
      .where('round', '=', action.round)
      .where('person', '=', person)
      .execute();
  }
  return action.stage + 1 < stages.length ? 'next' : 'approved';
}

async function tellOfBrokenGlass(tx: Sql, { person, action, input }: Countable, now: Date): Promise<void> {
  await raiseAlert(tx, 'action.break_glass', action.agent, now, {
    action: action.id,
    summary: action.summary,
    person,
    reason: input.reason ?? '',
  });
}
