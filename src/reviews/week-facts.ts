import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import type { Week } from '../domain/review/iso-week.ts';
import type { CaseLine, Cell, WeekSnapshot } from '../domain/review/weekly.ts';
import { weekCases } from './case-facts.ts';
import { cellsOf, rolloutsOfWeek } from './week-cells.ts';
import { approversOf, businessOf, changesOf, decisionsOf, followUpsOf, incidentsOf } from './week-people.ts';
import { nextOf, risksOf } from './week-risks.ts';

/** What a snapshot is told about the pages before it. */
export interface Before {
  snapshot: WeekSnapshot | undefined;
  missed: string[];
  unread: string[];
  version: number;
}

/**
 * The facts of a week, from rows whose number does not grow with what was done. The same records give the same snapshot.
 */
export async function weekFacts(db: Sql, week: Week, before: Before, dayMs: number): Promise<WeekSnapshot> {
  const agents = (await db.selectFrom('agent').select('manifest').orderBy('name').execute()).map(
    (row) => row.manifest,
  );
  const words = new Map(
    (before.snapshot?.cells ?? []).map((cell) => [
      `${cell.rollout} ${cell.segment} ${cell.metric}`,
      cell.verdict,
    ]),
  );
  const parts = [];
  for (const agent of agents) parts.push(await agentFacts(db, agent, week, words, dayMs));
  return {
    v: 1,
    week: week.id,
    from: week.from.toISOString(),
    to: week.to.toISOString(),
    version: before.version,
    dayMs,
    agents: agents.map(({ agent }) => agent),
    dataThrough: (await dataThrough(db, week)).toISOString(),
    missed: before.missed,
    unread: before.unread,
    sourcesDown: parts.flatMap(({ cells }) => sourcesDown(cells)),
    decisions: parts.flatMap((part) => part.decisions),
    followUps: parts.flatMap((part) => part.followUps),
    changes: parts.flatMap((part) => part.changes),
    cells: parts.flatMap((part) => part.cells),
    incidents: parts.flatMap((part) => part.incidents),
    cases: casesOfAll(parts.flatMap((part) => part.cases ?? [])),
    business: parts.flatMap((part) => part.business),
    approvers: parts.map((part) => part.approvers).filter(({ asked }) => asked > 0),
    risks: parts.flatMap((part) => part.risks),
    next: parts.flatMap((part) => part.next),
  };
}

async function agentFacts(
  db: Sql,
  agent: Agent,
  week: Week,
  words: ReadonlyMap<string, string>,
  dayMs: number,
) {
  const rollouts = await rolloutsOfWeek(db, agent.agent, week);
  const cells: Cell[] = [];
  for (const rollout of rollouts) cells.push(...(await cellsOf(db, agent, rollout, week, words)));
  const followUps = await followUpsOf(db, agent.agent, week);
  return {
    cells,
    followUps,
    decisions: await decisionsOf(db, agent, rollouts, cells, followUps, dayMs),
    changes: await changesOf(db, agent.agent, rollouts, week),
    incidents: await incidentsOf(db, agent.agent, week),
    cases: await weekCases(db, agent, week, dayMs),
    business: await businessOf(db, agent.agent, week, dayMs),
    approvers: await approversOf(db, agent.agent, week),
    risks: await risksOf(db, agent),
    next: nextOf(agent, rollouts),
  };
}

const casesOfAll = (lines: CaseLine[]): CaseLine[] | null => (lines.length > 0 ? lines : null);

const sourcesDown = (cells: readonly Cell[]): string[] =>
  cells
    .filter(({ verdict }) => verdict === 'source-down')
    .map(({ agent, metric, segment }) => `${agent}: ${metric} in ${segment}`);

/** Until when everything is counted: before what still waits to be, and before what a source was not read for. */
async function dataThrough(db: Sql, { to }: Week): Promise<Date> {
  const { rows } = await sql<{ at: Date | null }>`
    SELECT least((SELECT at FROM evidence_due ORDER BY id LIMIT 1),
      (SELECT min(coalesce(r.read_at, r.since)) FROM rollout o JOIN source_reading r ON r.rollout_id = o.id
        WHERE o.ended_at IS NULL)) AS at`.execute(db);
  const at = rows[0]?.at;
  return at && at < to ? at : to;
}
