import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Arm } from '../domain/decision.ts';
import { weightAnew } from '../domain/evidence/alpha.ts';
import type { ArmCounts, Stratum } from '../domain/evidence/control.ts';
import { type ArmTotal, addedLogs, type DifferenceFacts } from '../domain/evidence/difference.ts';
import type { JudgedFacts } from '../domain/evidence/facts.ts';
import { groupBy } from '../domain/group-by.ts';
import { type RolloutRecord, ripeBefore } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import { COMMITTED_WITHIN_MS } from './committed.ts';
import { ofLiving } from './living.ts';
import type { GuardrailProcesses } from './processes.ts';

/** What is compared of a segment: a metric, in its present generation, and the first day that is not ripe. */
export interface Comparing {
  metric: string;
  segment: string;
  generation: number;
  matureBefore: number;
}

/**
 * What a guardrail is compared with the release in force by, of those who were assigned by chance; `breaches`: of earlier
 * generations. What was read of a day stands for every reader: what is counted after it was first read is no part of it, so
 * `matureBefore` is of a moment up to which what was said is committed too.
 */
export async function comparedFacts(
  db: Sql,
  rollout: RolloutRecord,
  { control, difference }: Pick<GuardrailProcesses, 'control' | 'difference'>,
  comparing: Comparing & { breaches: readonly VerdictRecord[]; firedBefore: boolean },
): Promise<Pick<JudgedFacts, 'control' | 'difference'>> {
  const { breaches, firedBefore, metric, matureBefore } = comparing;
  if (rollout.plan.ripeMs?.[metric] !== undefined)
    await sql`SELECT stand_before(${rollout.id}, ${metric}, ${matureBefore})`.execute(db);
  const anew = await begunAnew(db, rollout, comparing);
  const common = (weight: number) => ({
    weight: weightAnew(weight, anew),
    firedBefore,
    ...(anew > 0 && { anew }),
  });
  return {
    ...(control && {
      control: {
        ...control,
        ...common(control.weight),
        strata: strataOf(await firstCounts(db, rollout, comparing), breaches),
      },
    }),
    ...(difference && {
      difference: {
        ...difference,
        ...common(difference.weight),
        ...differenceOf(await firstSums(db, rollout, comparing), breaches),
      },
    }),
  };
}

/** Those who were assigned by chance, as far as anybody knows: not until arms that were not were settled, with the day of it. */
const assigned = ({ id }: Pick<RolloutRecord, 'id'>, { segment, generation }: Comparing) => sql`NOT EXISTS (
  SELECT FROM arms_mismatch m WHERE m.rollout_id = ${id} AND m.segment = ${segment} AND m.generation = c.generation
    AND CASE WHEN m.accepted_at IS NULL THEN m.generation < ${generation} ELSE c.day <= event_day(${id}, m.accepted_at) END)`;

/** How often the comparisons of a segment began anew, because arms that were not as assigned were settled. */
async function begunAnew(
  db: Sql,
  { id }: RolloutRecord,
  { segment, generation }: Comparing,
): Promise<number> {
  const { n } = await db
    .selectFrom('arms_mismatch')
    .select(({ fn }) => fn.countAll<number>().as('n'))
    .where('rollout_id', '=', id)
    .where('segment', '=', segment)
    .where((row) => row.or([row('accepted_at', 'is not', null), row('generation', '<', generation)]))
    .executeTakeFirstOrThrow();
  return Number(n);
}

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
async function firstCounts(db: Sql, rollout: RolloutRecord, comparing: Comparing): Promise<FirstCount[]> {
  const { metric, segment, matureBefore } = comparing;
  const { rows } = await sql<FirstCount>`
    SELECT generation, segment, exposure, arm, sum(subjects)::int AS subjects, sum(harms)::int AS harms, sum(known)::int AS known
    FROM first_count c WHERE rollout_id = ${rollout.id} AND metric = ${metric} AND segment = ${segment} AND day < ${matureBefore}
      AND ${assigned(rollout, comparing)}
    GROUP BY generation, segment, exposure, arm ORDER BY exposure, generation, arm`.execute(db);
  return rows;
}

function strataOf(counts: readonly FirstCount[], breaches: readonly VerdictRecord[]): Stratum[] {
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

/** The same of a sum: a row for each day and share of exposure. */
async function firstSums(db: Sql, rollout: RolloutRecord, comparing: Comparing): Promise<FirstSum[]> {
  const { metric, segment, matureBefore } = comparing;
  const { rows } = await sql<FirstSum>`
    SELECT generation, segment, arm, subjects, known, total::text, logs::text[], over FROM first_count c
    WHERE rollout_id = ${rollout.id} AND metric = ${metric} AND segment = ${segment} AND day < ${matureBefore}
      AND ${assigned(rollout, comparing)}
    ORDER BY exposure, generation, arm, day`.execute(db);
  return rows;
}

function differenceOf(
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

/** What began anew when the arms of a segment were accepted, and compares nobody yet. */
export interface Uncompared {
  segment: string;
  metrics: string[];
}

/**
 * The segments in which a guardrail that acts is compared anew, and of one arm nobody is ripe who was new since: unknown is no, so
 * nothing widens there yet.
 */
export async function uncompared(
  db: Sql,
  rollout: RolloutRecord,
  arms: readonly { segment: string; generation: number; accepted: unknown }[],
  now: Date,
): Promise<Uncompared[]> {
  const acting = rollout.plan.guardrails.filter(({ action, control }) => action === 'rollback' && control);
  const found: Uncompared[] = [];
  for (const { segment, generation, accepted } of arms) {
    if (accepted === null) continue;
    const metrics: string[] = [];
    for (const { metric } of acting) {
      const matureBefore = ripeBefore(rollout, metric, new Date(now.getTime() - COMMITTED_WITHIN_MS));
      const counts = await firstCounts(db, rollout, { metric, segment, generation, matureBefore });
      const sees = (arm: Arm) => counts.some((one) => one.arm === arm && one.subjects > 0);
      if (!(sees('candidate') && sees('control'))) metrics.push(metric);
    }
    if (metrics.length > 0) found.push({ segment, metrics });
  }
  return found;
}
