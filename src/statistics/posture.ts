import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { onAgentsWord } from '../domain/subject.ts';
import { recordOf } from '../records/rollout.ts';

/** `part` of `of`; the share is left out where there is nothing to count. */
export interface Share {
  part: number;
  of: number;
  share?: number;
}

/** How well an agent is covered, in one segment. */
export interface SegmentPosture {
  segment: string;
  /** Begun writes with a recorded allow or the recorded approvals of their quorum. */
  writesConfirmed: Share;
  /** Begun writes that got a credential of their own. */
  perActionCredential: Share;
  /** Actions whose arguments are still kept, so that their decision can be made again. */
  replayable: Share;
  /** Begun without an outcome, past the deadline. */
  unpaired: number;
}

export interface AgentPosture {
  agent: string;
  /** Tools declared `read` or `write`; one that says nothing counts as a write. */
  toolsClassified: Share;
  /** Tools whose key the agent also holds. */
  advisory: string[];
  /** Segments in which only the agent says what a request is about: what it says decides its arm. */
  agentsWord: string[];
  segments: SegmentPosture[];
}

interface Counts {
  agent: string;
  segment: string;
  actions: number;
  kept: number;
  begun: number;
  confirmed: number;
  credentialed: number;
  unpaired: number;
}

/** Per agent and segment, from what is recorded and not from what is configured. */
export async function readPosture(db: Sql, now: Date, agent?: string): Promise<AgentPosture[]> {
  let query = db.selectFrom('agent').select('manifest').orderBy('name');
  if (agent !== undefined) query = query.where('name', '=', agent);
  const agents = await query.execute();
  const counts = await countActions(db, now, agent);
  const subjects = await subjectsOfOpen(db);
  return agents.map(({ manifest }) => {
    const tools = Object.entries(manifest.tools);
    return {
      agent: manifest.agent,
      toolsClassified: share(tools.filter(([, tool]) => tool.kind !== undefined).length, tools.length),
      advisory: tools.flatMap(([name, tool]) => (tool.advisory ? [name] : [])),
      agentsWord: onAgentsWord(manifest, subjects.get(manifest.agent)),
      segments: counts
        .filter((row) => row.agent === manifest.agent)
        .map((row) => ({
          segment: row.segment,
          writesConfirmed: share(row.confirmed, row.begun),
          perActionCredential: share(row.credentialed, row.begun),
          replayable: share(row.kept, row.actions),
          unpaired: row.unpaired,
        })),
    };
  });
}

/** Where the open rollouts take their subjects from. */
async function subjectsOfOpen(db: Sql): Promise<Map<string, string>> {
  const open = await db.selectFrom('rollout').selectAll().where('ended_at', 'is', null).execute();
  return new Map(open.map((row) => [row.agent, recordOf(row).plan.subject]));
}

const share = (part: number, of: number): Share => (of === 0 ? { part, of } : { part, of, share: part / of });

async function countActions(db: Sql, now: Date, agent: string | undefined): Promise<Counts[]> {
  const { rows } = await sql<Counts>`
    WITH counted AS (
      SELECT a.agent, coalesce(a.segment, 'default') AS segment,
        a.kind = 'write' AND a.began_at IS NOT NULL AS begun,
        EXISTS (SELECT 1 FROM action_private p WHERE p.action_id = a.id)
          OR EXISTS (SELECT 1 FROM read_record r WHERE r.id = a.id AND r.args IS NOT NULL) AS kept,
        CASE a.decided_by
          WHEN 'policy' THEN a.decided_at IS NOT NULL AND a.grant_name IS NOT NULL
          ELSE (SELECT count(*) FROM decision d WHERE d.action_id = coalesce(s.action_id, a.id)
              AND d.round = coalesce(s.round, a.round) AND d.verdict = 'approve' AND d.slot IS NOT NULL)
            >= CASE WHEN a.break_glass THEN 1 ELSE (SELECT sum((need ->> 'quorum')::int)
              FROM jsonb_array_elements(a.approval -> 'stages') AS stage (needs), jsonb_array_elements(needs) AS one (need)) END
        END AS confirmed,
        EXISTS (SELECT 1 FROM credential c WHERE c.action_id = a.id) AS credentialed,
        a.state = 'unknown' OR (a.state = 'executing' AND a.deadline_at < ${now}) AS unpaired
      FROM any_action a LEFT JOIN standing_approval s ON s.id = a.standing_id
      WHERE ${agent ?? null}::text IS NULL OR a.agent = ${agent ?? null}::text
    )
    SELECT agent, segment, count(*)::int AS actions, (count(*) FILTER (WHERE kept))::int AS kept,
      (count(*) FILTER (WHERE begun))::int AS begun, (count(*) FILTER (WHERE begun AND confirmed))::int AS confirmed,
      (count(*) FILTER (WHERE begun AND credentialed))::int AS credentialed,
      (count(*) FILTER (WHERE unpaired))::int AS unpaired
    FROM counted GROUP BY agent, segment ORDER BY agent, segment`.execute(db);
  return rows;
}
