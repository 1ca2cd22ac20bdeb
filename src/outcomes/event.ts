import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Agent, Metric } from '../domain/agent.ts';
import type { ActionRow } from '../records/action.ts';
import { manifestOf } from '../records/manifest.ts';

/** The metrics in which a correction, or a person's decision, says what came of this action. */
export async function metricsCounting(
  tx: Sql,
  action: ActionRow,
  by: 'corrections' | 'denials',
): Promise<string[]> {
  return metricsOf(await manifestOf(tx, action.agent), action, by);
}

/** The same of an agent whose manifest is at hand. */
export const metricsOf = (
  agent: Pick<Agent, 'metrics'>,
  action: Pick<ActionRow, 'tool' | 'decided_by'>,
  by: 'corrections' | 'denials',
): string[] =>
  metricsAbout(agent.metrics, action)
    .filter(([, metric]) => metric[by])
    .map(([name]) => name);

/** The metrics that are about such an action. */
export const metricsAbout = (
  metrics: Readonly<Record<string, Metric>>,
  action: Pick<ActionRow, 'tool' | 'decided_by'>,
): [string, Metric][] => Object.entries(metrics).filter(([, metric]) => isCountedIn(metric, action));

/** Whether the metric is about actions such as this one: its tool, and decided the way it says. */
export function isCountedIn(
  metric: Metric,
  { tool, decided_by }: Pick<ActionRow, 'tool' | 'decided_by'>,
): boolean {
  const decidedBy = decided_by ?? 'person';
  return (metric.tool ?? tool) === tool && (metric.decidedBy ?? decidedBy) === decidedBy;
}

/** Says what came of the action's subject-day, 0 for no harm; false when nothing changed. */
export async function knowEvent(
  tx: Sql,
  action: ActionRow,
  metric: string,
  value: number,
  at: Date,
): Promise<boolean> {
  const { rows } = await sql<{ changed: boolean }>`
    SELECT know_event(a, ${metric}, ${value}::double precision, ${at}) AS changed FROM action a
    WHERE a.id = ${action.id}`.execute(tx);
  return rows[0]?.changed ?? false;
}
