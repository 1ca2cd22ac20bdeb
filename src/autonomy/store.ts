import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { AutonomyTable } from '../db/tables-approvals.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { EarningGrant } from './evidence.ts';

export type AutonomyState = AutonomyTable['state'];

/** What earns: one grant for one tool, in one segment, by one build. */
export interface Slice extends EarningGrant {
  segment: string;
  agentVersion: string;
}

/** How a slice stands; one that was never moved asks. */
export async function stateOf(db: Sql, slice: Slice): Promise<AutonomyState> {
  const row = await db
    .selectFrom('autonomy')
    .select('state')
    .where('agent', '=', slice.agent)
    .where('release', '=', slice.release)
    .where('grant_name', '=', slice.grant)
    .where('tool', '=', slice.tool)
    .where('segment', '=', slice.segment)
    .where('agent_version', '=', slice.agentVersion)
    .executeTakeFirst();
  return row?.state ?? 'ask';
}

export interface AutonomyMove {
  from: AutonomyState;
  to: AutonomyState;
  kind: string;
  evidence: Readonly<Record<string, unknown>>;
  because: string;
  now: Date;
  actor: string;
  /** People take back what the evidence carried: it begins anew. */
  anew?: boolean;
}

/**
 * One move by compare-and-set, a recorded decision with its evidence. The caller holds the gate alone. False: it was
 * no longer in the state it was judged in.
 */
export async function moveAutonomy(
  tx: Sql,
  slice: Slice,
  { from, to, kind, evidence, because, now, actor, anew }: AutonomyMove,
): Promise<boolean> {
  const state = await stateOf(tx, slice);
  if (state !== from || from === to) return false;
  const row = {
    state: to,
    evidence: JSON.stringify(evidence),
    changed_at: now,
    changed_by: actor,
    ...(anew ? { evidence_from: now } : {}),
  };
  await tx
    .insertInto('autonomy')
    .values({
      agent: slice.agent,
      release: slice.release,
      grant_name: slice.grant,
      tool: slice.tool,
      segment: slice.segment,
      agent_version: slice.agentVersion,
      ...row,
    })
    .onConflict((conflict) =>
      conflict
        .columns(['agent', 'release', 'grant_name', 'tool', 'segment', 'agent_version'])
        .doUpdateSet(row),
    )
    .execute();
  const { agent, release, grant, ...where } = slice;
  await appendEntry(tx, {
    kind,
    agent,
    ref: `${agent}/${release}/${grant}`,
    at: now,
    actor,
    data: { ...where, from, to, because, evidence },
  });
  return true;
}

/** Every slice that was ever moved, the latest change first. */
export function listAutonomy(db: Sql, agent: string | undefined): Promise<Selectable<AutonomyTable>[]> {
  const query = db.selectFrom('autonomy').selectAll().orderBy('changed_at', 'desc');
  return (agent === undefined ? query : query.where('agent', '=', agent)).execute();
}
