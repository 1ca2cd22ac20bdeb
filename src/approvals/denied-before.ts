import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { Decision } from '../domain/decision/decide.ts';
import { reason } from '../domain/decision/weigh.ts';
import { REPEATS_DEFAULT } from '../domain/release.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';

const LISTED_MAX = 3;

/** Somebody's denial of the same tool with the same arguments. */
export interface DeniedBefore {
  action: string;
  person: string;
  at: Date;
  reason: string | null;
  /** About the same subject; else the agent says that it is about another one. */
  sameSubject: boolean;
}

/** Who denied the same thing before this was asked, the latest first. */
export async function deniedBefore(
  db: Sql,
  { id, agent, same_digest, subject_digest, asked_at }: ActionRow,
): Promise<DeniedBefore[]> {
  if (same_digest === '') return [];
  const rows = await db
    .selectFrom('action')
    .innerJoin('decision', (join) =>
      join.onRef('decision.action_id', '=', 'action.id').on('decision.verdict', '=', 'deny'),
    )
    .select(['action.id as action', 'decision.person', 'decision.at', 'decision.reason', 'subject_digest'])
    .where('action.agent', '=', agent)
    .where('same_digest', '=', same_digest)
    .where('action.id', '!=', id)
    .where('action.state', '=', 'denied')
    .where('corrected_at', 'is', null)
    .where('decision.at', '<=', asked_at)
    .orderBy('decision.at', 'desc')
    .limit(LISTED_MAX)
    .execute();
  return rows.map(({ subject_digest: subject, ...row }) => ({
    ...row,
    sameSubject: subject === subject_digest,
  }));
}

interface Repeats {
  denials: number;
  repeats: number;
  person: string;
  reason: string | null;
}

/**
 * A question that people denied may be asked again a few times within a day, and then is denied without asking them:
 * until the agent asks for something else, another release is in force, or a person approves one of them or says that a
 * denial was wrong.
 */
export async function unlessDeniedBefore(
  { db, asks, clock, dayMs }: Services,
  decision: Decision,
  { agent, subject, sameDigest }: { agent: string; subject: string; sameDigest: string },
): Promise<Decision> {
  if (decision.outcome !== 'pending') return decision;
  const { digest } = await asks.subject(agent, subject);
  const since = new Date(clock.now().getTime() - dayMs);
  const { rows } = await sql<Repeats>`
    WITH same AS (SELECT * FROM action a WHERE a.agent = ${agent} AND a.same_digest = ${sameDigest}
      AND a.subject_digest = ${digest} AND a.release = ${decision.release ?? null} AND a.asked_at > ${since}
      AND a.approval IS NOT NULL AND a.standing_id IS NULL),
    changed AS (SELECT coalesce(greatest(max(s.decided_at) FILTER (WHERE s.decided_by = 'person' AND s.state <> 'denied'),
      max(s.corrected_at)), '-infinity') AS at FROM same s),
    denied AS (SELECT s.* FROM same s, changed c
      WHERE s.state = 'denied' AND s.decided_by = 'person' AND s.decided_at > c.at)
    SELECT (SELECT count(*) FROM denied)::int AS denials,
      (SELECT count(*) FROM same s WHERE s.asked_at >= (SELECT min(decided_at) FROM denied))::int AS repeats,
      n.person, n.reason
    FROM decision n WHERE n.verdict = 'deny' AND n.action_id = (SELECT id FROM denied ORDER BY decided_at DESC, id LIMIT 1)
    ORDER BY n.at DESC LIMIT 1`.execute(db.sql);
  const [found] = rows;
  if (!found || found.repeats < (decision.approval?.repeats ?? REPEATS_DEFAULT)) return decision;
  const { approval: _, ...rest } = decision;
  const times = found.denials === 1 ? 'once' : `${found.denials} times`;
  const said = found.reason ? `: ${found.reason}` : '';
  const message = `People denied the same ${times} within a day, last ${found.person}${said}`;
  const hint = 'Ask for something else, or have a person change the release or say that the denial was wrong';
  return { ...rest, outcome: 'denied', reasons: [reason('denied_before', message, hint)] };
}
