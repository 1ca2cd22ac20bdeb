import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type {
  BusinessCounts,
  CountedMetric,
  CountedTasks,
  CountedWrites,
} from '../domain/business/counts.ts';

/** Quarters of a day from one that begins at `from` to those that begin before `to`. */
export interface Quarters {
  agent: string;
  from: Date;
  to: Date;
}

/**
 * What was counted, as far as it is added up: one range of each counter's key, whatever was done. `eras` are the days from which on
 * other rates hold.
 */
export async function businessCounts(
  db: Sql,
  { agent, from, to }: Quarters,
  eras: readonly Date[],
): Promise<BusinessCounts> {
  const begins = [from, ...eras.filter((at) => at > from && at < to)].sort(
    (a, b) => a.getTime() - b.getTime(),
  );
  const era = sql`(${begins}::timestamptz[])[width_bucket(period, ${begins}::timestamptz[])]`;
  const within = sql`agent = ${agent} AND period >= ${from} AND period < ${to}`;
  const writes = await sql<CountedWrites>`
    SELECT segment, tool, ${era} AS era, sum(asked)::float8 AS asked, sum(executed)::float8 AS executed,
      sum(failed)::float8 AS failed, sum(unknown)::float8 AS unknown, sum(refused)::float8 AS refused,
      sum(denied)::float8 AS denied, sum(edited)::float8 AS edited, sum(expired)::float8 AS expired, sum(ended)::float8 AS ended,
      sum(corrected)::float8 AS corrected, sum(corrected_unasked)::float8 AS "correctedUnasked",
      sum(over_blocked)::float8 AS "overBlocked", sum(waited)::float8 AS waited, sum(waited_ms)::float8 AS "waitedMs",
      sum(begun)::float8 AS begun, sum(begun_ms)::float8 AS "begunMs", sum(answers)::float8 AS answers,
      sum(answers_ms)::float8 AS "answersMs", sum(untimed)::float8 AS untimed
    FROM business_count WHERE ${within} GROUP BY 1, 2, 3 ORDER BY 3, 1, 2`.execute(db);
  const tasks = await sql<CountedTasks>`
    SELECT segment, arm, release, period, started::float8 AS started, open::float8 AS open, done::float8 AS done,
      "right"::float8 AS "right", handed::float8 AS handed
    FROM business_task_count WHERE ${within} ORDER BY period, segment, arm, release`.execute(db);
  const metrics = await sql<CountedMetric>`
    SELECT segment, metric, ${era} AS era, sum(n)::float8 AS n, sum(harms)::float8 AS harms, sum(total) AS total
    FROM business_metric_count WHERE ${within} GROUP BY 1, 2, 3 ORDER BY 3, 1, 2`.execute(db);
  return { writes: writes.rows, tasks: tasks.rows, metrics: metrics.rows };
}
