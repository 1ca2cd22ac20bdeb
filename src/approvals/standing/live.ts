import { sql } from 'kysely';
import type { Sql } from '../../db/database.ts';
import { toolOf } from '../../domain/agent.ts';
import { compileEnvelope } from '../../domain/decision/envelope.ts';
import type { CompiledStanding } from '../../domain/decision/weigh.ts';
import { manifestOf } from '../../records/manifest.ts';

/**
 * The live ones that might cover a request of this tool, ready for deciding; the longest lasting first. Those whose
 * approvers may not give them any more are not among them: people are asked again.
 */
export async function liveStandings(
  db: Sql,
  agent: string,
  tool: string,
  now: Date,
): Promise<CompiledStanding[]> {
  const rows = await db
    .selectFrom('standing_approval as s')
    .innerJoin('action as a', 'a.id', 's.action_id')
    .selectAll('s')
    .select('a.risk')
    .where('s.agent', '=', agent)
    .where('s.tool', '=', tool)
    .where('s.ended_at', 'is', null)
    .where('s.expires_at', '>', now)
    .where(sql<boolean>`approvers_hold(s.action_id, s.round, false, ${now}) = 'holds'`)
    .orderBy('s.expires_at', 'desc')
    .execute();
  if (rows.length === 0) return [];
  const manifest = await manifestOf(db, agent);
  const spec = toolOf(manifest, tool);
  if (!spec) return [];
  return rows.map((row) => ({
    id: row.id,
    tool: row.tool,
    grant: row.grant_name,
    release: row.release,
    segment: row.segment,
    arm: row.arm,
    generation: row.generation,
    risk: row.risk,
    matches: compileEnvelope(row.envelope, spec),
  }));
}
