import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { StandingWish } from '../db/tables-action.ts';
import { BREAK_GLASS_SLOT, tallyStage } from '../domain/approval/approval.ts';
import { durationMs } from '../domain/duration.ts';
import { BEGIN_WITHIN } from '../domain/release.ts';
import { type ActionRow, actionById } from '../records/action.ts';
import { raiseAlert } from '../records/alert.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import type { Countable } from './countable.ts';
import { type SignedReceipt, signReceipt } from './receipts/sign.ts';
import { startStandingApproval } from './standing/store.ts';

/** What an answer leads to, and which answers fill which slots by it. */
interface Tally {
  end: 'open' | 'next' | 'approved' | 'denied';
  filled: { person: string; slot: string; grp: string }[];
}

/**
 * Writes the answer with its receipt, and what follows from it: the next stage, the end of the wait, or one more of the
 * quorum. Answers the row as it is then.
 */
export async function countAnswer(services: Services, tx: Sql, countable: Countable): Promise<ActionRow> {
  const { person, known, right, input, standingWish } = countable;
  const { actor, action, at: now } = known;
  const tally = tallyOf(countable);
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
  if (standingWish) await keepWish(tx, action, standingWish, tally.end !== 'approved');
  const ended = await recordAnswer(
    tx,
    answerOf(countable, tally),
    tally,
    await signReceipt(services, tx, countable),
    tally.end === 'approved' || tally.end === 'denied'
      ? { state: tally.end, data, beginMs: beginMsOf(services, action) }
      : null,
  );
  if (!ended) return goOn(tx, action, tally, person, now, data);
  const wish = standingWish ?? action.standing_wish;
  if (input.breakGlass) await tellOfBrokenGlass(tx, countable, now);
  else if (wish && tally.end === 'approved') await startStandingApproval(tx, action, wish, now);
  return ended;
}

/** What an approval leaves to begin in, however late it comes. */
const beginMsOf = ({ dayMs }: Services, { approval }: ActionRow): number =>
  durationMs(approval?.beginWithin ?? BEGIN_WITHIN, dayMs);

/** It waits on: for more of the same stage, or for the next one. */
async function goOn(
  tx: Sql,
  action: ActionRow,
  { end }: Tally,
  person: string,
  now: Date,
  data: Record<string, unknown>,
): Promise<ActionRow> {
  const entry = { agent: action.agent, ref: action.id, at: now, actor: person };
  await appendEntry(tx, { ...entry, kind: 'action.decision', data: { ...data, stage: action.stage } });
  if (end === 'next') {
    const stage = action.stage + 1;
    await tx
      .updateTable('action')
      .set({ stage, stage_opened_at: now, reach: null })
      .where('id', '=', action.id)
      .execute();
    await appendEntry(tx, { ...entry, kind: 'action.stage', data: { stage } });
  }
  await tx.insertInto('outbox').values({ topic: 'action', key: action.id, payload: '{}' }).execute();
  return actionById(tx, action.id);
}

/** Where the answer leaves the open stage: which slot each approval of it fills, once all are filled. */
function tallyOf({ person, known: { action, answers }, right, input }: Countable): Tally {
  if (input.verdict === 'deny') return { end: 'denied', filled: [] };
  const [glass] = input.breakGlass ? right.options : [];
  if (glass) return { end: 'approved', filled: [{ person, slot: BREAK_GLASS_SLOT, grp: glass.group }] };
  const stages = action.approval?.stages ?? [];
  const earlier = answers.filter((one) => one.verdict === 'approve' && one.stage === action.stage);
  const approvals = [...earlier, { person, options: right.options }];
  const { filled, slots } = tallyStage(stages[action.stage] ?? [], action.stage, approvals);
  if (!filled) return { end: 'open', filled: [] };
  return {
    end: action.stage + 1 < stages.length ? 'next' : 'approved',
    filled: approvals.flatMap((one) => {
      const slot = slots.get(one.person);
      const option = one.options.find((each) => each.slot === slot);
      return option ? [{ person: one.person, slot: option.slot, grp: option.group }] : [];
    }),
  };
}

/** The answer as it is kept. */
function answerOf({ person, known, right, input }: Countable, { filled }: Tally) {
  const { actor, at, action, lookedAt, postedAt } = known;
  const { via, identity } = actor;
  const own = filled.find((one) => one.person === person);
  return {
    action_id: action.id,
    round: action.round,
    stage: action.stage,
    person,
    for_person: right.for,
    deputy_id: right.deputy ?? null,
    options: right.options,
    slot: own?.slot ?? null,
    grp: own?.grp ?? null,
    // When they could first see it: their own look at the page, else the first card.
    shown_at: lookedAt ?? (via === 'slack' ? postedAt : null),
    verdict: input.verdict,
    at,
    via,
    identity,
    seen_revision: input.revision ?? null,
    seen_digest: input.digest ?? null,
    reason: input.reason ?? null,
  };
}

/** One statement, because it stands between a tap and its commit. Answers the row, where the answer ended the wait. */
async function recordAnswer(
  tx: Sql,
  answer: ReturnType<typeof answerOf>,
  { filled }: Tally,
  receipt: SignedReceipt,
  end: { state: 'approved' | 'denied'; data: Record<string, unknown>; beginMs: number } | null,
): Promise<ActionRow | undefined> {
  const others = filled.filter(({ person }) => person !== answer.person);
  const { rows } = await sql<ActionRow>`SELECT * FROM record_answer(${JSON.stringify(answer)}::jsonb,
    ${JSON.stringify(others)}::jsonb, ${JSON.stringify(receipt)}::jsonb, ${end && JSON.stringify(end)}::jsonb)`.execute(
    tx,
  );
  return rows[0];
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

async function tellOfBrokenGlass(
  tx: Sql,
  { person, known: { action }, input }: Countable,
  now: Date,
): Promise<void> {
  await raiseAlert(tx, 'action.break_glass', action.agent, now, {
    action: action.id,
    summary: action.summary,
    person,
    reason: input.reason ?? '',
  });
}
