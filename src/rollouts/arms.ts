import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Arm } from '../domain/decision.ts';
import {
  type ArmStratum,
  type ArmsJudged,
  armsText,
  judgeArms,
  mismatchText,
} from '../domain/evidence/arms.ts';
import { groupBy } from '../domain/group-by.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import type { Services } from '../services.ts';
import { COMMITTED_WITHIN_MS } from './committed.ts';
import { failuresOf, throwFirst } from './failures.ts';
import { tell } from './tell.ts';

const READ_BATCH = 500;
const DROP_BATCH = 5_000;

/** How the subjects of a segment split so far, in its present generation. */
export interface ArmsView extends ArmsJudged {
  segment: string;
  generation: number;
  /** When they were found not to be as assigned: until a person settles it nothing widens. */
  mismatchedAt: Date | null;
  /** Who accepted them last as they are, in this generation. */
  accepted: Accepted | null;
}

interface Accepted {
  at: Date;
  by: string;
  because: string;
}

/**
 * Counts whom was asked for in the open rollouts since it was last done, and tells people, once in a round of a segment,
 * whose subjects do not split as they are assigned. Nothing is taken back by it: nobody knows which arm is to blame.
 */
export async function judgeAssignment(services: Services): Promise<void> {
  const { sql: db } = services.db;
  const open = await db
    .selectFrom('rollout')
    .select(['id', 'agent'])
    .where('ended_at', 'is', null)
    .orderBy('id')
    .execute();
  const failures = await failuresOf(open, (rollout) => judgeOne(services, rollout));
  await sql`SELECT drop_arm_subjects(${DROP_BATCH})`.execute(db);
  throwFirst(failures);
}

async function judgeOne(services: Services, rollout: Pick<RolloutRecord, 'id' | 'agent'>): Promise<void> {
  const { sql: db } = services.db;
  await countArms(db, rollout.id, new Date(services.clock.now().getTime() - COMMITTED_WITHIN_MS));
  for (const arms of await armsOf(db, rollout.id))
    if (arms.mismatched && arms.mismatchedAt === null) await tellMismatch(services, rollout, arms);
}

/** In short transactions. */
async function countArms(db: Sql, rolloutId: string, until: Date): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ n: number }>`
      SELECT count_arms(${rolloutId}, ${until}, ${READ_BATCH}) AS n`.execute(db);
    if ((rows[0]?.n ?? 0) < READ_BATCH) return;
  }
}

interface ArmCount {
  segment: string;
  generation: number;
  round: number;
  /** None yet of one whose arms were just accepted. */
  exposure: number | null;
  arm: Arm | null;
  subjects: number | null;
  at: Date | null;
  accepted_at: Date | null;
  accepted_by: string | null;
  because: string | null;
}

/** Of the segments that are exposed, where anybody was asked for yet or arms were accepted: what was counted since. */
export async function armsOf(db: Sql, rolloutId: string): Promise<ArmsView[]> {
  const { rows } = await sql<ArmCount>`
    SELECT s.segment, s.generation, r.round, c.exposure, c.arm, c.subjects, m.at, a.accepted_at, a.accepted_by, a.because
    FROM rollout_segment s
      CROSS JOIN LATERAL (SELECT arms_round(s.rollout_id, s.segment, s.generation, 'infinity') AS round) r
      LEFT JOIN arm_count c USING (rollout_id, segment, generation, round)
      LEFT JOIN arms_mismatch m USING (rollout_id, segment, generation, round)
      LEFT JOIN arms_mismatch a ON (a.rollout_id, a.segment, a.generation, a.round) = (s.rollout_id, s.segment, s.generation, r.round - 1)
    WHERE s.rollout_id = ${rolloutId} AND s.state = 'exposed' AND (c.arm IS NOT NULL OR r.round > 0)
    ORDER BY s.segment, c.exposure`.execute(db);
  return [...groupBy(rows, ({ segment }) => segment).values()].map((own) => {
    const [{ segment, generation, round, at }] = own;
    const judged = judgeArms(strataOf(own), round);
    return { segment, generation, ...judged, mismatchedAt: at, accepted: acceptedOf(own[0]) };
  });
}

const acceptedOf = ({ accepted_at, accepted_by, because }: ArmCount): Accepted | null =>
  accepted_at && { at: accepted_at, by: accepted_by ?? '', because: because ?? '' };

const strataOf = (counts: readonly ArmCount[]): ArmStratum[] =>
  [...groupBy(counts, ({ exposure }) => String(exposure)).values()].flatMap((own) => {
    const [{ exposure }] = own;
    if (exposure === null) return [];
    const of = (arm: Arm) => own.find((one) => one.arm === arm)?.subjects ?? 0;
    return [{ exposure, treated: of('candidate'), control: of('control') }];
  });

/** What widens nothing until a person has settled it; once in a round, however the counts go on. */
async function tellMismatch(
  services: Services,
  { id, agent }: Pick<RolloutRecord, 'id' | 'agent'>,
  { segment, generation, round, strata, ...judged }: ArmsView,
): Promise<void> {
  const at = services.clock.now();
  const because = mismatchText(segment, armsText({ round, strata, ...judged }));
  const told = await services.db.sql.transaction().execute(async (tx) => {
    // Its revision rises, so that no step is entered that was planned before.
    const { numUpdatedRows } = await tx
      .updateTable('rollout')
      .set(({ eb }) => ({ revision: eb('revision', '+', 1) }))
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    const { numAffectedRows = 0n } = await sql`
      INSERT INTO arms_mismatch (rollout_id, segment, generation, round, strata, at)
      SELECT s.rollout_id, s.segment, s.generation, ${round}, ${JSON.stringify(strata)}::jsonb, ${at} FROM rollout_segment s
      WHERE s.rollout_id = ${id} AND s.segment = ${segment} AND s.generation = ${generation} AND s.state = 'exposed'
      ON CONFLICT DO NOTHING`.execute(tx);
    if (numUpdatedRows === 0n || numAffectedRows === 0n) return false;
    await tell(tx, { id, agent }, at, {
      kind: 'rollout.arms_mismatched',
      because,
      facts: { segment },
      data: {
        segment,
        generation,
        round,
        strata: strata.map((one) => ({ ...one })),
        logE: String(judged.logE),
      },
    });
    return true;
  });
  if (told) services.wake();
}
