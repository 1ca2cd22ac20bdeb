import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Metric } from '../domain/agent.ts';
import { type CountsFrom, countsFrom } from '../domain/evidence/measure.ts';
import type { ActionRow } from '../records/action.ts';
import { manifestOf } from '../records/manifest.ts';

/**
 * What a write counts in, fixed when it is asked. A metric of denials is about proposals: what is asked of people counts
 * from then on. All else is about what was done, and counts when it begins.
 */
export const countsOf = (
  metrics: Readonly<Record<string, Metric>>,
  { tool, decided_by }: Pick<ActionRow, 'tool' | 'decided_by'>,
): Record<string, CountsFrom> =>
  Object.fromEntries(
    Object.entries(metrics)
      .filter(([, metric]) => isAbout(metric, tool, decided_by ?? 'person'))
      .map(([name, metric]) => [name, countsFrom(metric, decided_by === null)]),
  );

const isAbout = (metric: Metric, tool: string, decidedBy: 'policy' | 'person'): boolean =>
  metric.source === undefined &&
  (metric.tool ?? tool) === tool &&
  (metric.decidedBy ?? decidedBy) === decidedBy;

/** Those in which people judge the question itself. */
export const metricsOfProposal = ({ counts }: Pick<ActionRow, 'counts'>): string[] =>
  Object.keys(counts).filter((metric) => counts[metric] === 'asked');

/** Those in which a report of a wrong write is harm. */
export async function metricsCorrected(
  tx: Sql,
  { agent, counts }: Pick<ActionRow, 'agent' | 'counts'>,
): Promise<string[]> {
  const { metrics } = await manifestOf(tx, agent);
  return Object.keys(counts).filter((name) => Object.hasOwn(metrics, name) && metrics[name]?.corrections);
}

/** Says what came of an action: 0 for no harm, 1 for harm, of a sum or a ratio the value; counted within a moment, in order with all that happened to it. */
export async function knowEvent(
  tx: Sql,
  action: Pick<ActionRow, 'id'>,
  metric: string,
  value: number,
  at: Date,
): Promise<void> {
  await sql`SELECT know_event(${action.id}, ${metric}, ${value}::double precision, ${at})`.execute(tx);
}
