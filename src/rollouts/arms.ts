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
}

/**
 * Counts whom was asked for in the open rollouts since it was last done, and tells people, once in a generation of a segment,
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
  exposure: number;
  arm: Arm;
  subjects: number;
  at: Date | null;
}

/** Of the segments that are exposed, where anybody was asked for yet. */
export async function armsOf(db: Sql, rolloutId: string): Promise<ArmsView[]> {
  const { rows } = await sql<ArmCount>`
    SELECT c.segment, c.generation, c.exposure, c.arm, c.subjects, m.at
    FROM arm_count c JOIN rollout_segment s USING (rollout_id, segment, generation)
      LEFT JOIN arms_mismatch m USING (rollout_id, segment, generation)
    WHERE c.rollout_id = ${rolloutId} AND s.state = 'exposed' ORDER BY c.segment, c.exposure`.execute(db);
  return [...groupBy(rows, ({ segment }) => segment).values()].map((own) => {
    const [{ segment, generation, at }] = own;
    return { segment, generation, ...judgeArms(strataOf(own)), mismatchedAt: at };
  });
}

const strataOf = (counts: readonly ArmCount[]): ArmStratum[] =>
  [...groupBy(counts, ({ exposure }) => String(exposure)).values()].map((own) => ({
    exposure: own[0].exposure,
    treated: own.find(({ arm }) => arm === 'candidate')?.subjects ?? 0,
    control: own.find(({ arm }) => arm === 'control')?.subjects ?? 0,
  }));

/** What widens nothing until a person has settled it; once in a generation, however the counts go on. */
async function tellMismatch(
  services: Services,
  { id, agent }: Pick<RolloutRecord, 'id' | 'agent'>,
  { segment, generation, strata, ...judged }: ArmsView,
): Promise<void> {
  const at = services.clock.now();
  const because = mismatchText(segment, armsText({ strata, ...judged }));
  const told = await services.db.sql.transaction().execute(async (tx) => {
    // Its revision rises, so that no step is entered that was planned before.
    const { numUpdatedRows } = await tx
      .updateTable('rollout')
      .set(({ eb }) => ({ revision: eb('revision', '+', 1) }))
      .where('id', '=', id)
      .where('ended_at', 'is', null)
      .executeTakeFirst();
    const { numAffectedRows = 0n } = await sql`
      INSERT INTO arms_mismatch (rollout_id, segment, generation, strata, at)
      SELECT s.rollout_id, s.segment, s.generation, ${JSON.stringify(strata)}::jsonb, ${at} FROM rollout_segment s
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
        strata: strata.map((one) => ({ ...one })),
        logE: String(judged.logE),
      },
    });
    return true;
  });
  if (told) services.wake();
}
