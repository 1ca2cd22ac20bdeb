import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';

/** As many of the newest rollouts are told. */
export const PAST_ROLLOUTS_MAX = 20;

/** What was counted of one release in one segment while a rollout ran: the candidate, or the one in force beside it. */
export interface PastWindow {
  rollout: string;
  startedAt: Date;
  arm: 'candidate' | 'control';
  segment: string;
  metric: string;
  days: { day: number; events: number; harms: number; known: number }[];
}

/**
 * The counts by day of the newest rollouts of an agent, as their judgements rested on them.
 * @throws AppError `forbidden`, `unknown_agent`
 */
export async function pastCounts(
  { db }: Pick<Services, 'db'>,
  actor: Actor,
  agent: string,
): Promise<PastWindow[]> {
  requireRole(actor, ['release-manager', 'auditor'], agent);
  await manifestOf(db.sql, agent);
  const { rows } = await sql<PastWindow>`
    SELECT x.id AS rollout, x.started_at AS "startedAt", c.arm, c.segment, c.metric,
      jsonb_agg(jsonb_build_object('day', c.day, 'events', c.events, 'harms', c.harms, 'known', c.known) ORDER BY c.day) AS days
    FROM (SELECT id, started_at FROM rollout WHERE agent = ${agent} ORDER BY started_at DESC LIMIT ${PAST_ROLLOUTS_MAX}) x,
      LATERAL (SELECT d.arm, d.segment, d.metric, d.day, sum(d.events)::float8 AS events, sum(d.harms)::float8 AS harms,
          sum(d.known)::float8 AS known
        FROM day_count d WHERE d.rollout_id = x.id GROUP BY d.arm, d.segment, d.metric, d.day) c
    GROUP BY x.id, x.started_at, c.arm, c.segment, c.metric
    ORDER BY x.started_at DESC, c.metric, c.segment, c.arm`.execute(db.sql);
  return rows;
}
