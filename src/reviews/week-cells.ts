import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import { durationMs } from '../domain/duration.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { FALSE_SHARE, reviewQueue } from '../domain/evidence/review-queue.ts';
import { costOf, costText } from '../domain/rates.ts';
import { type Week, weekBefore } from '../domain/review/iso-week.ts';
import { type Cell, type CellMark, type CellWeek, CHART_WEEKS } from '../domain/review/weekly.ts';
import { ratesOf } from '../records/rates.ts';
import { type RolloutRecord, recordOf } from '../records/rollout.ts';

/** As many rollouts of an agent are looked at. */
const ROLLOUTS_MAX = 4;
const BASELINE_SPREAD = 2;

interface JudgedCell {
  segment: string;
  metric: string;
  verdict: string;
  generation: number;
  judged_at: Date;
  log_e: number | null;
  breach_at: Date | null;
}

/** The rollouts of an agent that were open in a week, ended in it, or whose release is watched. */
export async function rolloutsOfWeek(db: Sql, agent: string, { from, to }: Week): Promise<RolloutRecord[]> {
  const rows = await db
    .selectFrom('rollout')
    .selectAll()
    .where('agent', '=', agent)
    .where('started_at', '<', to)
    .where((where) =>
      where.or([
        where('ended_at', 'is', null),
        where('ended_at', '>=', from),
        where.and([where('status', '=', 'completed'), where('watch_ended_at', 'is', null)]),
      ]),
    )
    .orderBy('started_at', 'desc')
    .limit(ROLLOUTS_MAX)
    .execute();
  return rows.map(recordOf);
}

/** Each guardrail in each segment with its thirteen weeks: from counts by day, whose number does not grow with what was done. */
export async function cellsOf(
  db: Sql,
  agent: Agent,
  rollout: RolloutRecord,
  week: Week,
  before: ReadonlyMap<string, string>,
): Promise<Cell[]> {
  const judged = await judgedCells(db, rollout, week);
  const weeks = await countsByWeek(db, rollout, week);
  const marks = await marksOf(db, rollout, week);
  const rates = await ratesOf(db, rollout.agent);
  const looked = reviewQueue(
    judged
      .filter(({ verdict, log_e }) => verdict !== 'breach' && log_e !== null)
      .map((one) => ({ ...one, logE: one.log_e ?? 0 })),
    FALSE_SHARE,
    judged.length,
  );
  return judged.map(({ segment, metric, verdict, breach_at }): Cell => {
    const own = weeks.filter((one) => one.segment === segment && one.metric === metric);
    const matureMs = durationMs(rollout.plan.matureAfter[metric] ?? '1d', rollout.plan.dayMs);
    const harms = own.reduce((all, one) => all + one.harms, 0);
    const cost = costOf(rates, metric, [
      { at: week.from, count: own.find((one) => one.week === week.id)?.harms ?? 0 },
    ]);
    const guardrail = rollout.plan.guardrails.find((one) => one.metric === metric);
    const drawn = weeksBefore(week).map(({ id, from, to }): CellWeek => {
      const found = own.find((one) => one.week === id);
      const within = marks.filter((one) => one.segment === segment && one.at >= from && one.at < to);
      return {
        week: id,
        events: found?.events ?? 0,
        known: found?.known ?? 0,
        harms: found?.harms ?? 0,
        mature: to.getTime() + matureMs <= week.to.getTime(),
        ...(within.length > 0 && { marks: [...new Set(within.map(({ mark }) => mark))] }),
      };
    });
    return {
      agent: rollout.agent,
      rollout: rollout.id,
      segment,
      metric,
      business: agent.metrics[metric]?.business ?? '',
      verdict,
      before: before.get(`${rollout.id} ${segment} ${metric}`) ?? null,
      limit: typeof guardrail?.limit === 'number' ? guardrail.limit : null,
      baseline: baselineOf(rollout, segment, metric),
      firstDay: breach_at?.toISOString().slice(0, 10) ?? null,
      subjects: drawn.at(-1)?.events ?? 0,
      harms,
      cost: cost ? costText(cost) : null,
      worthALook: looked.some((one) => one.segment === segment && one.metric === metric),
      weeks: drawn,
    };
  });
}

const weeksBefore = (week: Week): Week[] =>
  Array.from({ length: CHART_WEEKS }, (_, index) => weekBefore(week, CHART_WEEKS - 1 - index));

async function judgedCells(db: Sql, { id }: RolloutRecord, { to }: Week): Promise<JudgedCell[]> {
  const { rows } = await sql<JudgedCell>`
    SELECT DISTINCT ON (v.segment, v.metric) v.segment, v.metric, v.verdict, v.generation, v.judged_at,
      (v.record ->> 'logE')::float8 AS log_e,
      (SELECT min(i.breach_at) FROM incident i WHERE i.rollout_id = ${id} AND i.segment = v.segment AND i.metric = v.metric
        AND i.breach_at < ${to}) AS breach_at
    FROM verdict v JOIN rollout_segment s ON s.rollout_id = v.rollout_id AND s.segment = v.segment
    WHERE v.rollout_id = ${id} AND v.segment <> ${POOLED_SEGMENT}
    ORDER BY v.segment, v.metric, (s.state = 'rolled_back' AND v.verdict = 'breach') DESC, v.generation DESC`.execute(
    db,
  );
  return rows;
}

/** When each segment was first exposed to the release, and when it was taken back. */
async function marksOf(
  db: Sql,
  { id }: RolloutRecord,
  { to }: Week,
): Promise<{ segment: string; mark: CellMark; at: Date }[]> {
  const { rows } = await sql<{ segment: string; mark: CellMark; at: Date }>`
    SELECT segment, 'released' AS mark, min(from_at) AS at FROM exposure
    WHERE rollout_id = ${id} AND exposure > 0 AND from_at < ${to} GROUP BY segment
    UNION ALL
    SELECT segment, 'rolled_back', opened_at FROM incident
    WHERE rollout_id = ${id} AND because IN ('breach', 'rollback') AND opened_at < ${to} AND segment IS NOT NULL
    ORDER BY at, segment, mark`.execute(db);
  return rows;
}

interface WeekCount {
  segment: string;
  metric: string;
  week: string;
  events: number;
  known: number;
  harms: number;
}

/** A day of a rollout is of the week in which it begins. */
async function countsByWeek(
  db: Sql,
  { id, started_at, plan }: RolloutRecord,
  week: Week,
): Promise<WeekCount[]> {
  const first = weekBefore(week, CHART_WEEKS - 1).from;
  const dayOf = (at: Date) => Math.ceil((at.getTime() - started_at.getTime()) / plan.dayMs);
  const { rows } = await sql<WeekCount>`
    SELECT segment, metric, week, sum(events)::float8 AS events, sum(known)::float8 AS known, sum(harms)::float8 AS harms
    FROM (SELECT d.segment, d.metric, d.events, d.known, d.harms,
        to_char((${started_at}::timestamptz + d.day * ${plan.dayMs}::float8 * interval '1 millisecond') AT TIME ZONE 'UTC',
          'IYYY-"W"IW') AS week
      FROM day_count d WHERE d.rollout_id = ${id} AND d.arm = 'candidate' AND d.day >= ${dayOf(first)}
        AND d.day < ${Math.max(dayOf(first), dayOf(week.to))}) x
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`.execute(db);
  return rows;
}

/** What the release before did, with twice its spread. */
function baselineOf({ baseline }: RolloutRecord, segment: string, metric: string): Cell['baseline'] {
  const row = baseline?.find((one) => one.segment === segment && one.metric === metric);
  if (!row || row.events === 0) return null;
  const rate = row.harms / row.events;
  return { rate, upper: Math.min(1, rate + BASELINE_SPREAD * Math.sqrt((rate * (1 - rate)) / row.events)) };
}
