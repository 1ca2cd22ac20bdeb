import { type Actor, requireRole } from '../actor.ts';
import type { Severity } from '../db/tables-learning.ts';
import type { Finding } from '../domain/incident/findings.ts';
import { findingsOf } from '../domain/incident/findings.ts';
import { isInstant } from '../domain/instant.ts';
import { AppError } from '../errors.ts';
import { requireReason } from '../reason.ts';
import { ownAction } from '../records/action.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';
import type { Endable } from './end.ts';
import { factsOf } from './facts.ts';
import { type IncidentRow, incidentById } from './find.ts';
import { newIncidentId, openIncident } from './open.ts';
import { addAction } from './wrong-write.ts';

export interface ReportedIncident {
  agent: string;
  title: string;
  reason: string;
  segment?: string | undefined;
  tool?: string | undefined;
  severity?: Severity | undefined;
  owner?: string | undefined;
  /** Actions it is about; each is in one incident at most. */
  actions?: readonly string[] | undefined;
  /** The effect exists upstream. Together with an action that never began, or none at all: around the gate. */
  effect?: boolean | undefined;
  /** What it ends there, by name; nothing else is ended. */
  ends?: readonly Endable[] | undefined;
  /** Of the past, or imported from elsewhere: it ends nothing. */
  historical?: boolean | undefined;
  /** When it happened, for a historical one; default now. */
  at?: Date | undefined;
}

/**
 * A person opens an incident. It ends what is named and nothing else; one of the past ends nothing.
 * @throws AppError `forbidden`, `unknown_agent`, `not_found` for an action, `conflict` for one that is in an incident already
 */
export async function reportIncident(
  services: Services,
  actor: Actor,
  input: ReportedIncident,
): Promise<IncidentRow> {
  requireRole(actor, ['on-call', 'release-manager', 'approver'], input.agent);
  requireReason(input.reason, 'open an incident');
  const { historical = false, ends = [] } = input;
  if (historical && ends.length > 0)
    throw new AppError(
      'invalid_input',
      'A historical incident ends nothing: leave out historical, or what it ends',
    );
  if (input.at !== undefined && !(isInstant(input.at) && input.at <= services.clock.now()))
    throw new AppError('invalid_input', 'It cannot have happened in the time to come');
  const { owners } = await manifestOf(services.db.sql, input.agent);
  const known = await knownActions(services, actor, input);
  const id = newIncidentId();
  const at = services.clock.now();
  await services.db.sql.transaction().execute(async (tx) => {
    await openIncident(tx, {
      id,
      agent: input.agent,
      because: 'person',
      segment: input.segment ?? known.first?.segment ?? undefined,
      tool: input.tool ?? known.first?.tool,
      title: input.title,
      at: input.at ?? at,
      by: actor.id,
      dayMs: services.dayMs,
      severity: input.severity ?? 'normal',
      owner: input.owner ?? owners[0],
      evidence: { reason: input.reason },
      findings: known.findings,
      ends,
      historical,
      restartsEvidence: ends.includes('autonomy'),
    });
    for (const action of input.actions ?? [])
      if (
        !(await addAction(tx, {
          incident: id,
          action,
          agent: input.agent,
          because: 'named',
          at,
          by: actor.id,
        }))
      )
        throw await alreadyIn(services, action);
  });
  services.wake();
  return incidentById(services.db.sql, actor, id);
}

async function alreadyIn({ db }: Services, action: string): Promise<AppError> {
  const row = await db.sql
    .selectFrom('incident_action')
    .select('incident_id')
    .where('action_id', '=', action)
    .executeTakeFirst();
  return new AppError(
    'conflict',
    `Action ${action} is in ${row?.incident_id ?? 'an incident'} already: an action is in one incident; open this without it and merge them`,
    { action, incident: row?.incident_id },
  );
}

async function knownActions(
  services: Services,
  actor: Actor,
  { agent, actions = [], effect, tool }: ReportedIncident,
) {
  const rows = [];
  for (const id of actions) {
    const row = await ownAction(services.db.sql, actor, id);
    if (row.agent !== agent)
      throw new AppError('invalid_input', `Action ${id} is of agent "${row.agent}", not of "${agent}"`);
    rows.push(row);
  }
  const [first] = rows;
  const findings: Finding[] | undefined = first
    ? findingsOf(await factsOf(services, first, { wronglyStopped: false, effect }))
    : effect === true && tool !== undefined
      ? findingsOf({ action: '', begun: false, effect, wronglyStopped: false, decidedBy: null, reasons: [] })
      : undefined;
  return { first, findings };
}
