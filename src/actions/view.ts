import { outcomeOf } from '../domain/action.ts';
import { type Agent, toolOf } from '../domain/agent.ts';
import { namingNobody } from '../domain/naming.ts';
import { actionUrl } from '../links.ts';
import type { ActionRow } from '../records/action.ts';
import { shownArgs } from '../records/args.ts';
import type { Services } from '../services.ts';
import type { ActionView, ViewParts } from './action-view.ts';
import {
  approvalViewOf,
  breakGlassOf,
  correctionOf,
  decisionView,
  editView,
  executionOf,
  iso,
} from './view-parts.ts';

type ViewServices = Pick<Services, 'publicUrl'>;
type StoredViewServices = Pick<Services, 'db' | 'publicUrl' | 'worlds'>;

/** The view from its parts; pure. */
export function viewOf({ publicUrl }: ViewServices, action: ActionRow, parts: ViewParts = {}): ActionView {
  const tool = parts.agent && toolOf(parts.agent, action.tool);
  return {
    id: action.id,
    url: actionUrl(publicUrl, action.id),
    state: action.state,
    outcome: outcomeOf(action),
    decidedBy: action.decided_by ?? undefined,
    supersededBecause: action.superseded_because ?? undefined,
    agent: action.agent,
    agentVersion: action.agent_version,
    tool: action.tool,
    kind: action.kind,
    args: parts.args,
    argsDigest: action.args_digest,
    summary: action.summary,
    why: action.why ?? undefined,
    behind: action.behind,
    strangers: parts.agent ? namingNobody(parts.agent, action.behind) : [],
    links: action.links,
    consequence: tool?.consequence,
    risk: action.risk,
    reversibility: tool?.reversibility,
    undo: tool?.undo,
    advisory: tool?.advisory ?? false,
    testMode: parts.agent?.testMode ?? false,
    ...placeOf(action),
    reasons: action.reasons,
    approval: approvalViewOf(action),
    askedAt: action.asked_at.toISOString(),
    askedBy: action.asked_by,
    remindAt: iso(action.remind_at),
    expiresAt: iso(action.expires_at),
    decidedAt: iso(action.decided_at),
    decisions: (parts.decisions ?? []).map(decisionView),
    edits: (parts.edits ?? []).map(editView),
    breakGlass: breakGlassOf(action),
    standingApproval: action.standing_id ?? undefined,
    earned: action.earned,
    reach: action.reach ?? undefined,
    denyReason: action.deny_reason ?? undefined,
    execution: executionOf(action),
    correction: correctionOf(action),
  };
}

/** The view of one action as the store holds it now; arguments only when asked for. */
export async function actionView(
  services: StoredViewServices,
  action: ActionRow,
  { args }: { args: boolean },
): Promise<ActionView> {
  const [parts = {}] = await partsOfAll(services, [action]);
  if (!args) return viewOf(services, action, parts);
  return viewOf(services, action, { ...parts, args: await shownArgs(services.db.sql, action, parts.agent) });
}

/** The views of a page of actions, without arguments, in the same order. */
export async function actionViews(
  services: StoredViewServices,
  actions: readonly ActionRow[],
): Promise<ActionView[]> {
  const parts = await partsOfAll(services, actions);
  return actions.map((action, n) => viewOf(services, action, parts[n]));
}

async function partsOfAll(services: StoredViewServices, actions: readonly ActionRow[]): Promise<ViewParts[]> {
  if (actions.length === 0) return [];
  const ids = actions.map(({ id }) => id);
  const decisions = await services.db.sql
    .selectFrom('decision')
    .selectAll()
    .where('action_id', 'in', ids)
    .orderBy('at')
    .execute();
  const edited = actions.filter(({ round }) => round > 0).map(({ id }) => id);
  const edits =
    edited.length === 0
      ? []
      : await services.db.sql
          .selectFrom('action_edit')
          .select(['action_id', 'round', 'editor', 'at', 'via', 'reason', 'digest_before'])
          .where('action_id', 'in', edited)
          .orderBy('round')
          .execute();
  const agents = await manifestsOf(services, [...new Set(actions.map(({ agent }) => agent))]);
  return actions.map((action) => ({
    agent: agents.get(action.agent),
    decisions: decisions.filter(({ action_id }) => action_id === action.id),
    edits: edits.filter(({ action_id }) => action_id === action.id),
  }));
}

/** As they are now, from memory where this process has met them: a manifest may be long. */
async function manifestsOf({ db, worlds }: StoredViewServices, names: readonly string[]) {
  const rows = await db.sql
    .selectFrom('agent')
    .select(['name', 'digest'])
    .where('name', 'in', names)
    .execute();
  const found = new Map<string, Agent | undefined>();
  for (const { name, digest } of rows) found.set(name, await worlds.manifest(name, digest));
  return found;
}

const placeOf = (action: ActionRow) => ({
  segment: action.segment ?? undefined,
  arm: action.arm,
  release: action.release ?? undefined,
  rollout: action.rollout_id ?? undefined,
  generation: action.generation ?? undefined,
  phase: action.phase ?? undefined,
  grant: action.grant_name ?? undefined,
  epoch: action.epoch,
  revision: action.revision,
});
