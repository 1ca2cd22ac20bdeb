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

/** Counted as it happened, with what is not added up yet; what runs out of its time without a word is asked for by the open work. */
async function countActions(db: Sql, now: Date, agent: string | undefined): Promise<Counts[]> {
  const of = agent ?? null;
  const { rows } = await sql<Counts>`
    SELECT agent, segment, sum(actions)::int AS actions, sum(kept)::int AS kept, sum(begun)::int AS begun,
      sum(confirmed)::int AS confirmed, sum(credentialed)::int AS credentialed, sum(unpaired)::int AS unpaired
    FROM (
      SELECT agent, segment, actions, kept, begun, confirmed, credentialed, unknown AS unpaired FROM posture_count
      UNION ALL
      SELECT agent, segment, actions, kept, begun, confirmed, credentialed, unknown FROM posture_due
      UNION ALL
      SELECT agent, coalesce(segment, 'default'), 0, 0, 0, 0, 0, 1 FROM open_action
      WHERE state = 'executing' AND deadline_at < ${now}
    ) AS x
    WHERE ${of}::text IS NULL OR agent = ${of}::text
    GROUP BY agent, segment HAVING sum(actions) > 0 OR sum(begun) > 0 ORDER BY agent, segment`.execute(db);
  return rows;
}
