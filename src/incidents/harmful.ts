import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { isWeighed, weighed } from '../domain/evidence/measure.ts';
import { manifestOf } from '../records/manifest.ts';

/** Writes of the candidate that are looked at, the newest ones. */
const LOOKED_AT = 2_000;
const LINKED_MAX = 50;
const VALUES_MAX = 20;

/**
 * The writes of a candidate in a segment of which harm was reported, the first of them: what a breach counted, and a case can be
 * made of. None of a metric whose values are added up: there no write alone is the harm.
 */
export async function harmfulActions(
  tx: Sql,
  { agent, rollout, segment, metric }: Readonly<Record<'agent' | 'rollout' | 'segment' | 'metric', string>>,
): Promise<string[]> {
  const { metrics } = await manifestOf(tx, agent);
  const known = Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;
  if (known === undefined || isWeighed(known)) return [];
  const { rows } = await sql<{ action: string; value: number }>`
    SELECT o.action_id AS action, o.value FROM (
      SELECT id FROM action WHERE rollout_id = ${rollout} AND segment = ${segment} AND arm = 'candidate'
      ORDER BY id DESC LIMIT ${LOOKED_AT}) a,
      LATERAL (SELECT action_id, value FROM outcome WHERE action_id = a.id AND metric = ${metric} LIMIT ${VALUES_MAX}) o
    ORDER BY o.action_id`.execute(tx);
  const harmful = rows.filter(({ value }) => weighed(known, value) > 0).map(({ action }) => action);
  return [...new Set(harmful)].slice(0, LINKED_MAX);
}
