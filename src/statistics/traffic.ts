import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { lowestIdAt } from '../db/partitions.ts';
import { AppError } from '../errors.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';

/** As many of the newest writes are looked at. */
export const TRAFFIC_MAX = 50_000;
export const TRAFFIC_DAYS_MAX = 90;

/** How much comes of an agent: what a rollout's evidence is made of. */
export interface Traffic {
  agent: string;
  since: Date;
  /** Days that it is told for: fewer than asked for where nothing older was recorded, or there was too much. */
  days: number;
  /** Subjects on a day for whom a write was asked, a day; `tool` is null for any of them. */
  segments: { segment: string; tool: string | null; subjectsADay: number }[];
}

/**
 * The subject-days that writes were asked on in the last days, a day: of the newest writes, at most so many.
 * @throws AppError `forbidden`, `unknown_agent`, `invalid_input`
 */
export async function trafficOf(
  { db, clock, dayMs }: Pick<Services, 'db' | 'clock' | 'dayMs'>,
  actor: Actor,
  { agent, days }: { agent: string; days: number },
  most = TRAFFIC_MAX,
): Promise<Traffic> {
  requireRole(actor, ['release-manager', 'auditor'], agent);
  await manifestOf(db.sql, agent);
  if (!(days > 0 && days <= TRAFFIC_DAYS_MAX))
    throw new AppError('invalid_input', `Cannot look at ${days} days: ask for 1 to ${TRAFFIC_DAYS_MAX}`);
  const now = clock.now();
  const asked = new Date(now.getTime() - days * dayMs);
  const { rows } = await sql<{ segment: string | null; tool: string | null; subjects: number; first: Date }>`
    SELECT x.segment, x.tool, count(DISTINCT (x.subject_digest, x.day))::int AS subjects, min(x.asked_at) AS first
    FROM (
      SELECT coalesce(a.segment, 'default') AS segment, a.tool, a.subject_digest, a.asked_at,
        floor(extract(epoch FROM a.asked_at) * 1000 / ${dayMs}) AS day
      FROM action a WHERE a.agent = ${agent} AND a.id >= ${lowestIdAt(asked)} AND a.kind = 'write'
      ORDER BY a.id DESC LIMIT ${most}) x
    GROUP BY GROUPING SETS ((x.segment, x.tool), (x.segment), ()) ORDER BY 1, 2 NULLS FIRST`.execute(db.sql);
  const since = rows.find(({ segment }) => segment === null)?.first ?? now;
  // What was recorded for less than a day is not blown up to one.
  const told = Math.max(1, (now.getTime() - since.getTime()) / dayMs);
  return {
    agent,
    since,
    days: told,
    segments: rows.flatMap(({ segment, tool, subjects }) =>
      segment === null ? [] : [{ segment, tool, subjectsADay: subjects / told }],
    ),
  };
}
