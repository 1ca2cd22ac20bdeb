import type { Actor } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import { costOf, costText } from '../domain/rates.ts';
import { type IncidentRow, incidentById } from '../incidents/find.ts';
import { mergedInto } from '../incidents/list.ts';
import { readLogOf } from '../log/read.ts';
import { manifestOf } from '../records/manifest.ts';
import { ratesOf } from '../records/rates.ts';
import { type TimelineItem, timelineOf } from './timeline.ts';

/** Actions whose entries the timeline takes in, the first ones. */
const TOLD_MAX = 100;
const TIMELINE_MAX = 200;

/** One wrong write of an incident, and how it is undone. */
export interface IncidentWrite {
  action: string;
  /** The incident that it joined, which may be merged into this one. */
  incident: string;
  because: string;
  at: Date;
  /** Undefined once its record is gone. */
  tool?: string;
  summary?: string;
  state?: string;
  reversibility?: string;
  undo?: string;
}

/** An incident with all that the records say of it. */
export interface IncidentReport {
  incident: IncidentRow;
  /** Its own and those of the incidents merged into it. */
  writes: number;
  merged: { id: string; writes: number }[];
  listed: IncidentWrite[];
  /** What it costs by the declared rates, with each input; decides nothing. */
  cost?: string;
  timeline: Omit<TimelineItem, 'day'>[];
  /** Where the next page of the timeline begins. */
  nextEntry?: number;
}

/**
 * Reads an incident: its writes with their undo hints, its cost and its timeline out of the log, a page of it at a time.
 * @throws AppError `not_found`
 */
export async function incidentReport(
  db: Sql,
  actor: Actor,
  id: string,
  { after = 0 }: { after?: number | undefined } = {},
): Promise<IncidentReport> {
  const incident = await incidentById(db, actor, id);
  const { merged, writes } = await mergedInto(db, id);
  const listed = await writesOf(db, incident, [id, ...merged.map((one) => one.id)]);
  const refs = [
    id,
    ...merged.map((one) => one.id),
    ...(incident.rollout_id === null || incident.because === 'correction' ? [] : [incident.rollout_id]),
    ...listed.map(({ action }) => action),
  ];
  const entries = await readLogOf(db, refs, { after, limit: TIMELINE_MAX + 1 });
  const page = entries.slice(0, TIMELINE_MAX);
  const last = page.at(-1);
  const cost = await costsOf(db, incident, listed);
  return {
    incident,
    writes: incident.writes + writes,
    merged,
    listed,
    ...(cost !== undefined && { cost }),
    timeline: timelineOf(page, () => 0).map(({ day: _, ...item }) => item),
    ...(entries.length > page.length && last && { nextEntry: last.seq }),
  };
}

async function writesOf(db: Sql, { agent }: IncidentRow, ids: readonly string[]): Promise<IncidentWrite[]> {
  const rows = await db
    .selectFrom('incident_action as told')
    .leftJoin('action', 'action.id', 'told.action_id')
    .select([
      'told.action_id',
      'told.incident_id',
      'told.because',
      'told.at',
      'action.tool',
      'action.summary',
      'action.state',
    ])
    .where('told.incident_id', 'in', ids)
    .orderBy('told.at')
    .orderBy('told.action_id')
    .limit(TOLD_MAX)
    .execute();
  const { tools } = await manifestOf(db, agent);
  return rows.map(({ action_id, incident_id, because, at, tool, summary, state }) => {
    const known = tool !== null && Object.hasOwn(tools, tool) ? tools[tool] : undefined;
    return {
      action: action_id,
      incident: incident_id,
      because,
      at,
      ...(tool !== null && { tool }),
      ...(summary !== null && { summary }),
      ...(state !== null && { state }),
      ...(tool !== null && { reversibility: known?.reversibility ?? 'irreversible' }),
      ...(known?.undo !== undefined && { undo: known.undo }),
    };
  });
}

/** Of a rollback, as its evidence was priced; of corrections, each write by the rate of a metric that corrections count in. */
async function costsOf(
  db: Sql,
  { agent, evidence }: IncidentRow,
  listed: readonly IncidentWrite[],
): Promise<string | undefined> {
  if (typeof evidence.costs === 'string') return evidence.costs;
  const wrong = listed.filter(({ because }) => because === 'wrong_write' || because === 'unknown_harm');
  if (wrong.length === 0) return undefined;
  const rates = await ratesOf(db, agent);
  const { metrics } = await manifestOf(db, agent);
  const metric = Object.entries(metrics).find(
    ([name, one]) => one.corrections && rates?.rates.some((rate) => rate.metric === name),
  )?.[0];
  const cost =
    metric === undefined
      ? undefined
      : costOf(
          rates,
          metric,
          wrong.map(({ at }) => ({ at, count: 1 })),
        );
  return cost && costText(cost);
}
