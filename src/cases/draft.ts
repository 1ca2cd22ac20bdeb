import { type Actor, requireRole } from '../actor.ts';
import type { Sql } from '../db/database.ts';
import type { RegressionCase } from '../domain/cases/case.ts';
import type { CaseVerdict } from '../domain/cases/result.ts';
import { findingOf } from '../domain/cases/run.ts';
import { shrinkAsk } from '../domain/cases/shrink.ts';
import { caseWorld } from '../domain/cases/world.ts';
import { REDACTED } from '../domain/decision/redact.ts';
import { formatProblems, readCaseValue } from '../domain/manifest/manifest.ts';
import type { Release } from '../domain/release.ts';
import { AppError } from '../errors.ts';
import { incidentById } from '../incidents/find.ts';
import { type ActionRow, noSuchAction, ownAction, privateOf } from '../records/action.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';
import { caseByName } from './store.ts';

export interface DraftInput {
  agent: string;
  case: string;
  /** Exactly one of the three: the first wrong action of an incident, one that is named, or the last one of a proposal. */
  incident?: string;
  action?: string;
  proposal?: string;
  /** What a person says must come of it; never what was recorded. */
  expect: Record<string, unknown>;
  says?: string;
  twins?: readonly string[];
}

/** A case of something that happened, with made-up values; kept nowhere yet. */
export interface CaseDraft {
  case: RegressionCase;
  action: string;
  /** Values that the answer turns on and that stayed as they were asked: somebody has to look at them. */
  kept: string[];
  /** What the draft says of the release that answered. */
  on: { release: string; verdict: CaseVerdict; why: string };
}

/**
 * Makes a case out of an action: what was asked without anything of a person, and the expectation that a person wrote.
 * @throws AppError `forbidden`, `unknown_agent`, `not_found`, `invalid_input`, `wrong_state` when nothing can be made of it
 */
export async function draftCase(services: Services, actor: Actor, input: DraftInput): Promise<CaseDraft> {
  const { agent } = input;
  requireRole(actor, ['release-manager'], agent);
  const { sql: db } = services.db;
  const manifest = await manifestOf(db, agent);
  const source = await sourceOf(db, input);
  const action = await actionOf(db, actor, source);
  const release = await releaseOf(db, action);
  const one = caseOf(source, action);
  const kept = await askedOf(db, action, source);
  if (!kept) throw cannot(action, 'what was asked is erased', 'Write the case by hand');
  if (kept.args.includes(JSON.stringify(REDACTED)))
    throw cannot(action, 'some of what was asked was never kept', 'Write the case by hand');
  const given = {
    tool: action.tool,
    args: JSON.parse(kept.args),
    attributes: JSON.parse(kept.attributes),
    claimed: JSON.parse(kept.context),
  };
  const shrunk = shrinkAsk(manifest, release, { ...one, given });
  if (!shrunk.ok) throw cannot(action, shrunk.because);
  const draft = { ...one, given: shrunk.given };
  const { verdict, why } = findingOf(draft, caseWorld(manifest, release));
  if (verdict === 'unevaluable' || verdict === 'not-applicable')
    throw cannot(action, `on release ${release.release} nothing can be told: ${why}`);
  return {
    case: draft,
    action: action.id,
    kept: shrunk.kept,
    on: { release: release.release, verdict, why },
  };
}

const cannot = ({ id }: ActionRow, because: string, hint?: string): AppError =>
  new AppError('wrong_state', `Cannot make a case of action ${id}: ${because}`, { ...(hint && { hint }) });

/** Everything but what is given. @throws AppError `invalid_input` with every problem */
function caseOf(input: Source, { id, tool }: ActionRow): RegressionCase {
  const bounds = Object.entries(input.expect).map(([bound, answer]) => `${bound} ${answer}`);
  const read = readCaseValue({
    case: input.case,
    agent: input.agent,
    kind: 'ask',
    // Never the words of the incident: they may name a person.
    says: input.says ?? `${tool}: ${bounds.join(', ')}`.slice(0, 300),
    from: input.incident === undefined ? [id] : [input.incident, id],
    given: { tool },
    expect: input.expect,
    twins: input.twins ?? [],
  });
  if (read.ok) return read.value;
  throw new AppError('invalid_input', formatProblems(read.problems), { problems: read.problems });
}

/** What a case is made of; of a proposal, its last action and the incident that it is in. */
interface Source extends DraftInput {
  edited?: boolean;
}

/** @throws AppError `invalid_input`, `not_found`, `wrong_state` for what no person's word proposed */
async function sourceOf(db: Sql, input: DraftInput): Promise<Source> {
  const { agent, incident, action, proposal } = input;
  if ([incident, action, proposal].filter((one) => one !== undefined).length !== 1)
    throw new AppError('invalid_input', 'Name an incident, an action or a proposal, and only one of them');
  if (proposal === undefined) return input;
  const { state, from_action, from_incident, because } = await caseByName(db, agent, proposal);
  if (state !== 'proposed' || from_action === null)
    throw new AppError('wrong_state', `Cannot make a case of "${proposal}": no person's word proposed it`, {
      state,
    });
  return {
    ...input,
    action: from_action,
    ...(from_incident !== null && { incident: from_incident }),
    edited: because === 'edited',
  };
}

/** What was asked; of one that a person changed, what it was before. */
async function askedOf(db: Sql, { id }: ActionRow, { edited = false }: Source) {
  const kept = await privateOf(db, id);
  if (!kept || !edited) return kept;
  const first = await db
    .selectFrom('action_edit')
    .select('args_before')
    .where('action_id', '=', id)
    .orderBy('round')
    .limit(1)
    .executeTakeFirst();
  if (!first) return kept;
  return first.args_before === null ? undefined : { ...kept, args: first.args_before };
}

async function actionOf(db: Sql, actor: Actor, input: Source): Promise<ActionRow> {
  const { agent, incident, action } = input;
  const id = action ?? (await firstOf(db, actor, agent, incident ?? ''));
  const row = await ownAction(db, actor, id);
  if (row.agent !== agent) throw noSuchAction(id);
  return row;
}

/** The first action that is in the incident, or in one that was merged into it. */
async function firstOf(db: Sql, actor: Actor, agent: string, id: string): Promise<string> {
  const incident = await incidentById(db, actor, id);
  if (incident.agent !== agent)
    throw new AppError('not_found', `Agent "${agent}" has no incident "${id.slice(0, 100)}"`);
  const row = await db
    .selectFrom('incident_action')
    .innerJoin('incident', 'incident.id', 'incident_action.incident_id')
    .select('action_id')
    .where((eb) => eb.or([eb('incident.id', '=', id), eb('incident.merged_into', '=', id)]))
    .orderBy('at')
    .orderBy('action_id')
    .limit(1)
    .executeTakeFirst();
  if (row) return row.action_id;
  const because =
    incident.because === 'breach'
      ? `its breach of ${incident.metric ?? 'a metric'} names no write of which harm was reported`
      : 'no action is linked to it';
  throw new AppError('not_found', `Nothing to make a case of incident ${id}: ${because}`, {
    hint: 'Name one with action, or report the wrong write: it joins the incident',
  });
}

async function releaseOf(db: Sql, action: ActionRow): Promise<Release> {
  const row = await db
    .selectFrom('release')
    .select('manifest')
    .where('agent', '=', action.agent)
    .where('version', '=', action.release ?? '')
    .executeTakeFirst();
  if (row) return row.manifest;
  throw cannot(action, 'no release answered it');
}
