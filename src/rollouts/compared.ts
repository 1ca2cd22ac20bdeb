import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Arm } from '../domain/decision.ts';
import { durationMs } from '../domain/duration.ts';
import type { ArmCounts, Stratum } from '../domain/evidence/control.ts';
import { type ArmTotal, addedLogs, type DifferenceFacts } from '../domain/evidence/difference.ts';
import { groupBy } from '../domain/group-by.ts';
import { dayOf, type RolloutRecord } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import { ofLiving } from './living.ts';

interface FirstCount {
  generation: number;
  segment: string;
  exposure: number;
  arm: Arm;
  subjects: number;
  harms: number;
  known: number;
}

/** Ripe ones only, of both arms: harm of the one may become known sooner than that of the other. */
export async function firstCounts(
  db: Sql,
  rollout: RolloutRecord,
  metric: string,
  segment: string,
  matureBefore: number,
): Promise<FirstCount[]> {
  const { rows } = await sql<FirstCount>`
    SELECT generation, segment, exposure, arm, sum(subjects)::int AS subjects, sum(harms)::int AS harms, sum(known)::int AS known
    FROM first_count WHERE rollout_id = ${rollout.id} AND metric = ${metric} AND segment = ${segment} AND day < ${matureBefore}
    GROUP BY generation, segment, exposure, arm ORDER BY exposure, generation, arm`.execute(db);
  return rows;
}

export function strataOf(counts: readonly FirstCount[], breaches: readonly VerdictRecord[]): Stratum[] {
  const living = groupBy(ofLiving(counts, breaches, 'control'), ({ exposure }) => String(exposure));
  return [...living.values()].map((own) => ({
    exposure: own[0].exposure,
    treated: armOf(own.filter(({ arm }) => arm === 'candidate')),
    control: armOf(own.filter(({ arm }) => arm === 'control')),
  }));
}

interface FirstSum extends ArmTotal {
  generation: number;
  segment: string;
  arm: Arm;
  logs: string[];
  over: number;
}

/**
 * The same of a sum: a row for each day and share of exposure. What was read of a day stands for every reader: what is counted
 * after it was first read is no part of it.
 * @param committed up to when what was said is committed too
 */
export async function firstSums(
  db: Sql,
  rollout: RolloutRecord,
  metric: string,
  segment: string,
  committed: Date,
): Promise<FirstSum[]> {
  const { matureAfter, dayMs, sums } = rollout.plan;
  const matureMs = durationMs(matureAfter[metric] ?? '1d', dayMs);
  const before = dayOf(rollout, new Date(committed.getTime() - matureMs));
  if (sums?.[metric]?.ripeMs !== undefined)
    await sql`SELECT stand_before(${rollout.id}, ${metric}, ${before})`.execute(db);
  const { rows } = await sql<FirstSum>`
    SELECT generation, segment, arm, subjects, known, total::text, logs::text[], over FROM first_count
    WHERE rollout_id = ${rollout.id} AND metric = ${metric} AND segment = ${segment} AND day < ${before}
    ORDER BY exposure, generation, arm, day`.execute(db);
  return rows;
}

export function differenceOf(
  days: readonly FirstSum[],
  breaches: readonly VerdictRecord[],
): Pick<DifferenceFacts, 'logs' | 'treated' | 'control' | 'over'> {
  const living = ofLiving(days, breaches, 'control');
  return {
    logs: addedLogs(living.map(({ logs }) => logs)),
    treated: totalOf(living.filter(({ arm }) => arm === 'candidate')),
    control: totalOf(living.filter(({ arm }) => arm === 'control')),
    over: living.reduce((sum, { over }) => sum + over, 0),
  };
}

const totalOf = (days: readonly FirstSum[]): ArmTotal => ({
  subjects: days.reduce((sum, { subjects }) => sum + subjects, 0),
  known: days.reduce((sum, { known }) => sum + known, 0),
  total: String(days.reduce((sum, { total }) => sum + BigInt(total), 0n)),
});

const armOf = (counts: readonly FirstCount[]): ArmCounts =>
  counts.reduce(
    (sum, { subjects, harms, known }) => ({
      subjects: sum.subjects + subjects,
      harms: sum.harms + harms,
      known: sum.known + known,
    }),
    { subjects: 0, harms: 0, known: 0 },
  );
