import { sql } from 'kysely';
import { suiteResultOf } from '../cases/run.ts';
import { suiteRows } from '../cases/store.ts';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import type { Release } from '../domain/release.ts';
import type { CycleFacts } from '../domain/review/cycle.ts';
import type { CaseLine } from '../domain/review/weekly.ts';
import { releasesInForce } from '../records/release.ts';

interface Period {
  from: Date;
  to: Date;
}

/**
 * What became of the cases of an agent in a week, and those that are red or green on a release that is in force: one that is
 * red on any is red. Null where it never had one.
 */
export async function weekCases(
  db: Sql,
  manifest: Agent,
  week: Period,
  dayMs: number,
): Promise<CaseLine | null> {
  const { agent } = manifest;
  const counts = await countsOf(db, agent, week);
  if (counts.all === 0) return null;
  const rows = await suiteRows(db, agent);
  const at = { clock: { now: () => week.to }, dayMs };
  const suites = (await releasesInForce(db, agent)).map((release) =>
    suiteResultOf(at, manifest, release, rows),
  );
  const named = (verdict: string) =>
    new Set(
      suites.flatMap(({ results }) =>
        results.filter((one) => one.verdict === verdict).map((one) => one.case),
      ),
    );
  const red = named('red');
  return {
    agent,
    added: counts.added,
    admitted: counts.admitted,
    red: red.size,
    waived: counts.waived,
    overdue: rows.filter(({ review_by }) => review_by !== null && review_by < week.to).length,
    green: [...named('green')].filter((name) => !red.has(name)).length,
  };
}

/** The cases of an agent run on the release of a cycle, and what became of them in it. */
export async function cycleCases(
  db: Sql,
  manifest: Agent,
  release: Release,
  cycle: Period,
  dayMs: number,
): Promise<CycleFacts['cases']> {
  const { all, added, admitted, waived } = await countsOf(db, manifest.agent, cycle);
  if (all === 0) return null;
  const at = { clock: { now: () => cycle.to }, dayMs };
  const suite = suiteResultOf(at, manifest, release, await suiteRows(db, manifest.agent));
  const { green, red, unevaluable, notApplicable } = suite;
  return { green, red, unevaluable, notApplicable, added, admitted, waived };
}

/** Of the cases of one agent that somebody wrote, however many others there are; waived is who was at the end. */
async function countsOf(db: Sql, agent: string, { from, to }: Period) {
  const { rows } = await sql<{ all: number; added: number; admitted: number; waived: number }>`
    SELECT count(*)::int AS all,
      (count(*) FILTER (WHERE proposed_at >= ${from} AND proposed_at < ${to}))::int AS added,
      (count(*) FILTER (WHERE admitted_at >= ${from} AND admitted_at < ${to}))::int AS admitted,
      (SELECT count(DISTINCT case_name)::int FROM case_waiver
        WHERE agent = ${agent} AND until > ${to} AND at < ${to}) AS waived
    FROM regression_case WHERE agent = ${agent} AND digest IS NOT NULL`.execute(db);
  return rows[0] ?? { all: 0, added: 0, admitted: 0, waived: 0 };
}
