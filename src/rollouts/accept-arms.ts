import { sql } from 'kysely';
import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { AppError } from '../errors.ts';
import { requireOwner } from '../records/owner.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { type ArmsView, armsOf } from './arms.ts';
import { changeIn, type RolloutVerbInput, type VerbAnswer } from './verb.ts';
import { requireSegment } from './verb-segment.ts';

/**
 * Takes the arms of a segment as they are, where they were found not to be as assigned: it widens again, and both whether arms are
 * as assigned and what is compared of them begin anew. What each came to until then is in the log.
 */
export async function acceptArms(
  services: Services,
  actor: Actor,
  rollout: RolloutRecord,
  input: RolloutVerbInput,
): Promise<VerbAnswer> {
  const owner = await requireOwner(services, actor, rollout, input.verb);
  const segment = requireSegment(rollout, input.segment);
  const now = services.clock.now();
  const accepted = await services.db.sql.transaction().execute(async (tx) => {
    const arms = (await armsOf(tx, rollout.id)).find((one) => one.segment === segment);
    if (!arms || arms.mismatchedAt === null) return false;
    const told = { segment, ...(owner.for && { for: owner.for }), ...(await foundOf(tx, rollout.id, arms)) };
    await changeIn(tx, actor, rollout, input, now, {}, told);
    await settle(tx, rollout.id, arms, { at: now, by: actor.id, because: input.reason });
    // What it is compared by has changed.
    await sql`SELECT queue_judgement(${rollout.id}, ${segment}, ${now})`.execute(tx);
    return true;
  });
  if (!accepted)
    return { changed: false, detail: `nobody found that the arms of ${segment} are not as assigned` };
  services.wake();
  return {
    changed: true,
    detail: `the arms of ${segment} are accepted as they are: whoever is new from now on is counted anew, and compared anew from tomorrow on`,
  };
}

/** The counts that are accepted, and what was compared by them. */
async function foundOf(
  tx: Sql,
  rolloutId: string,
  { segment, generation, round, strata, logE }: ArmsView,
): Promise<Record<string, unknown>> {
  const rows = await tx
    .selectFrom('verdict')
    .select('record')
    .where('rollout_id', '=', rolloutId)
    .where('segment', '=', segment)
    .where('generation', '=', generation)
    .orderBy('metric')
    .execute();
  const compared = rows.flatMap(({ record }) => {
    const { metric, control, difference } = record as VerdictRecord;
    const judged = control ?? difference;
    return judged ? [{ metric, logE: String(judged.logE) }] : [];
  });
  return { generation, round, strata: strata.map((one) => ({ ...one })), logE: String(logE), compared };
}

async function settle(
  tx: Sql,
  rolloutId: string,
  { segment, generation, round }: ArmsView,
  { at, by, because }: { at: Date; by: string; because: string },
): Promise<void> {
  const { numUpdatedRows } = await tx
    .updateTable('arms_mismatch')
    .set({ accepted_at: at, accepted_by: by, because })
    .where('rollout_id', '=', rolloutId)
    .where('segment', '=', segment)
    .where('generation', '=', generation)
    .where('round', '=', round)
    .where('accepted_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n)
    throw new AppError('conflict', 'Cannot accept-arms: the rollout changed meanwhile');
}
