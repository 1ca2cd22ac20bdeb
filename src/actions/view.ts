import type { Selectable } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { DecisionTable, Reach } from '../db/tables-action.ts';
import type { SupersededBecause } from '../domain/action.ts';
import { type Agent, type Risk, type Tool, toolOf } from '../domain/agent.ts';
import { redactArgs } from '../domain/decision/redact.ts';
import type { Outcome, Reason } from '../domain/decision.ts';
import type { ActionRow } from '../records/action.ts';
import { privateOf } from '../records/action.ts';
import { manifestOf } from '../records/manifest.ts';
import type { Services } from '../services.ts';
import { outcomeOf } from './ask.ts';
import {
  type ApprovalView,
  approvalViewOf,
  breakGlassOf,
  correctionOf,
  type DecisionView,
  decisionView,
  type Edit,
  type EditView,
  type ExecutionView,
  editView,
  executionOf,
  iso,
} from './view-parts.ts';

/** One action as every surface shows it: JSON as it stands, times in ISO 8601, what is not known left out. */
export interface ActionView {
  id: string;
  url: string;
  state: ActionRow['state'];
  outcome: Outcome;
  decidedBy?: 'policy' | 'person';
  supersededBecause?: SupersededBecause;
  agent: string;
  agentVersion: string;
  tool: string;
  kind: 'read' | 'write';
  /** `{}` with redacted values marked; only where the reader may see them, and until they are erased. */
  args?: Record<string, unknown>;
  argsDigest: string;
  summary: string;
  /** The agent's own words. */
  why?: string;
  /** Who prompted it, drives the agent or is acted for. */
  behind: string[];
  links: string[];
  consequence?: string;
  risk: Risk;
  reversibility?: Tool['reversibility'];
  undo?: string;
  /** The agent also holds a key of its own for this tool: what is decided here can be passed by. */
  advisory: boolean;
  testMode: boolean;
  segment?: string;
  arm: ActionRow['arm'];
  release?: string;
  rollout?: string;
  generation?: number;
  phase?: string;
  grant?: string;
  epoch: number;
  revision: number;
  reasons: Reason[];
  approval?: ApprovalView;
  askedAt: string;
  askedBy: string;
  remindAt?: string;
  expiresAt?: string;
  decidedAt?: string;
  decisions: DecisionView[];
  /** Who changed the arguments while it waited; `approval.round` counts them. */
  edits: EditView[];
  /** One person approved it alone; people look at that afterwards. */
  breakGlass?: { reviewed?: { person: string; at: string; justified: boolean; note: string } };
  /** The standing approval it ran by. */
  standingApproval?: string;
  /** People were not asked because the evidence carries it. */
  earned: boolean;
  /** Whether somebody who may answer was reached. */
  reach?: Reach;
  denyReason?: string;
  execution?: ExecutionView;
  correction?: { person: string; at: string; reason?: string };
}

/** What a view needs beside the row. */
export interface ViewParts {
  agent?: Agent;
  decisions?: readonly Selectable<DecisionTable>[];
  edits?: readonly Edit[];
  args?: Record<string, unknown>;
}

type ViewServices = Pick<Services, 'publicUrl'>;

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
  services: Pick<Services, 'db' | 'publicUrl'>,
  action: ActionRow,
  { args }: { args: boolean },
): Promise<ActionView> {
  const [view] = await actionViews(services, [action]);
  if (!view || !args) return view ?? viewOf(services, action);
  return { ...view, args: await shownArgs(services.db.sql, action) };
}

/** The views of a page of actions, without arguments, in the same order. */
export async function actionViews(
  services: Pick<Services, 'db' | 'publicUrl'>,
  actions: readonly ActionRow[],
): Promise<ActionView[]> {
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
  const names = [...new Set(actions.map(({ agent }) => agent))];
  const agents = await services.db.sql
    .selectFrom('agent')
    .select('manifest')
    .where('name', 'in', names)
    .execute();
  return actions.map((action) =>
    viewOf(services, action, {
      agent: agents.find(({ manifest }) => manifest.agent === action.agent)?.manifest,
      decisions: decisions.filter(({ action_id }) => action_id === action.id),
      edits: edits.filter(({ action_id }) => action_id === action.id),
    }),
  );
}

/** Arguments with what the manifest redacts marked, by default the one now in force; `undefined` once erased. */
export async function shownArgs(
  db: Sql,
  action: Pick<ActionRow, 'id' | 'agent' | 'tool'>,
  agent?: Agent,
): Promise<Record<string, unknown> | undefined> {
  const kept = await privateOf(db, action.id);
  if (!kept) return undefined;
  const manifest = agent ?? (await manifestOf(db, action.agent));
  return redactArgs(toolOf(manifest, action.tool), JSON.parse(kept.args));
}

/** The page on which people decide. */
export const actionUrl = (publicUrl: string, id: string): string =>
  `${publicUrl.replace(/\/$/, '')}/actions/${id}`;

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
