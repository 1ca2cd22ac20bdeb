import type { Sql } from '../db/database.ts';
import { type Agent, isWrite, onCallOf, segmentNames } from '../domain/agent.ts';
import type { AgentFacts, IncidentFact, SystemFacts } from '../domain/system/facts.ts';
import type { Window } from './flows.ts';

const OFF_MAX = 50;
const ACTIONS_MAX = 200;
const MENTIONED_MAX = 50;

/** The agents as they are declared, and what of it is of a later time than the moment that is shown. */
export async function readAgents(
  db: Sql,
  { agent, asOf }: Window,
): Promise<{ facts: AgentFacts[]; manifests: Agent[] }> {
  let query = db.selectFrom('agent').select(['name', 'manifest', 'applied_at']).orderBy('name');
  let forced = db.selectFrom('in_force').select(['agent', 'segment', 'release']).where('since', '<=', asOf);
  if (agent !== undefined) {
    query = query.where('name', '=', agent);
    forced = forced.where('agent', '=', agent);
  }
  const rows = await query.execute();
  const inForce = await forced.orderBy('segment').execute();
  return {
    manifests: rows.map(({ manifest }) => manifest),
    facts: rows.map(({ name, manifest, applied_at }) => ({
      agent: name,
      owners: manifest.owners,
      onCall: onCallOf(manifest),
      deployers: manifest.deployers,
      groups: Object.keys(manifest.approvers).sort(),
      segments: segmentNames(manifest),
      tools: Object.entries(manifest.tools).map(([tool, one]) => ({
        name: tool,
        write: isWrite(one),
        risk: one.risk,
        advisory: one.advisory,
      })),
      changedSince: applied_at > asOf,
      inForce: inForce
        .filter((one) => one.agent === name)
        .map(({ segment, release }) => ({ segment, release })),
    })),
  };
}

/** People's answers in the window, by index of their time. */
export async function readAnswers(db: Sql, { agent, from, asOf }: Window): Promise<SystemFacts['answers']> {
  let query = db
    .selectFrom('decision')
    .select(({ fn }) => ['via', fn.countAll<string>().as('answers'), fn.max('at').as('at')])
    .where('at', '>=', from)
    .where('at', '<=', asOf);
  if (agent !== undefined)
    query = query.where(({ exists, selectFrom }) =>
      exists(
        selectFrom('action')
          .select('id')
          .whereRef('action.id', '=', 'decision.action_id')
          .where('action.agent', '=', agent),
      ),
    );
  const rows = await query.groupBy('via').orderBy('via').execute();
  return rows.map(({ via, answers, at }) => ({
    via,
    answers: Number(answers),
    at: new Date(at).toISOString(),
  }));
}

/** What was switched off at that moment, and the epoch that the last stop raised. */
export async function readStops(
  db: Sql,
  { agent, asOf }: Window,
): Promise<Pick<SystemFacts, 'off' | 'epoch'>> {
  const rows = await db
    .selectFrom('stop')
    .select(['scope', 'at', 'reason'])
    .where('at', '<=', asOf)
    .where((eb) => eb.or([eb('ended_at', 'is', null), eb('ended_at', '>', asOf)]))
    .orderBy('scope')
    .orderBy('id')
    .execute();
  const about = rows.filter(
    ({ scope }) => agent === undefined || scope === 'everything' || scope.split('/')[1] === agent,
  );
  const last = await db
    .selectFrom('stop')
    .select(({ fn }) => fn.max('epoch').as('epoch'))
    .where('at', '<=', asOf)
    .executeTakeFirst();
  return {
    off: about.slice(0, OFF_MAX).map(({ scope, at, reason }) => ({ scope, since: at.toISOString(), reason })),
    epoch: Number(last?.epoch ?? 0),
  };
}

/** Incidents up to that moment, not closed by then, which say that something was written past the gate. */
export async function readOutside(db: Sql, { agent, asOf }: Window): Promise<SystemFacts['outside']> {
  let query = db
    .selectFrom('incident')
    .select(['id', 'agent', 'tool', 'writes'])
    .where('mechanism', '=', 'around_gate')
    .where('opened_at', '<=', asOf)
    .where((eb) => eb.or([eb('closed_at', 'is', null), eb('closed_at', '>', asOf)]))
    .where('merged_into', 'is', null);
  if (agent !== undefined) query = query.where('agent', '=', agent);
  const rows = await query.orderBy('opened_at', 'desc').limit(MENTIONED_MAX).execute();
  return rows.map(({ id, agent: of, tool, writes }) => ({ agent: of, tool, incident: id, writes }));
}

interface IncidentRow {
  id: string;
  agent: string;
  title: string;
  opened_at: Date;
  mechanism: string | null;
  segment: string | null;
  tool: string | null;
  metric: string | null;
  rollout_id: string | null;
}

/** The incident with the actions that are in it, as far as they are still recorded. */
export async function incidentFact(db: Sql, incident: IncidentRow): Promise<IncidentFact> {
  const rows = await db
    .selectFrom('incident_action as i')
    .innerJoin('action as a', 'a.id', 'i.action_id')
    .select(['a.tool', 'a.approval', 'a.decided_by', 'a.began_at'])
    .where('i.incident_id', '=', incident.id)
    .orderBy('i.at')
    .orderBy('i.action_id')
    .limit(ACTIONS_MAX)
    .execute();
  const { id, agent, title, opened_at, mechanism, segment, tool, metric, rollout_id } = incident;
  return {
    id,
    agent,
    title,
    openedAt: opened_at.toISOString(),
    mechanism,
    segment,
    tool,
    metric,
    rollout: rollout_id !== null,
    actions: rows.map((row) => ({
      tool: row.tool,
      asked: row.approval !== null && row.decided_by !== 'policy',
      begun: row.began_at !== null,
    })),
  };
}
