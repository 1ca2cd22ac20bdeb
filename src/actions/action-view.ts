import type { Selectable } from 'kysely';
import type { DecisionTable, Reach } from '../db/tables-action.ts';
import type { ActionEditTable } from '../db/tables-approvals.ts';
import type { SupersededBecause } from '../domain/action.ts';
import type { Agent, Risk, Tool } from '../domain/agent.ts';
import type { Outcome, Reason } from '../domain/decision.ts';
import type { ApprovalPolicy } from '../domain/release.ts';
import type { ActionRow } from '../records/action.ts';

/** Whom it asks and how far it has come. */
export interface ApprovalView extends ApprovalPolicy {
  /** The stages in words: "desk", "2 of desk, then 1 of leads". */
  group: string;
  /** People who must agree, over all stages. */
  quorum: number;
  /** The stage that is open, from 0. */
  stage: number;
  /** Rises with every change of the arguments; approvals of an earlier round do not count. */
  round: number;
}

/** One person's answer. */
export interface DecisionView {
  person: string;
  verdict: 'approve' | 'deny';
  at: string;
  via: string;
  reason?: string;
  /** Arguments of this round were approved; only the action's own round counts. */
  round: number;
  stage: number;
  /** Whose right it was, where not the person's own. */
  for?: string;
}

/** One change of the arguments. */
export interface EditView {
  person: string;
  at: string;
  via: string;
  round: number;
  reason?: string;
  digestBefore: string;
}

/** What came of the write. */
export interface ExecutionView {
  executionId: string;
  beganAt: string;
  startBy?: string;
  deadlineAt?: string;
  completedAt?: string;
  resultDigest?: string;
  error?: string;
}

export type Edit = Omit<Selectable<ActionEditTable>, 'args_before' | 'identity'>;

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
  /** Of these, whoever is nobody of the agent: it may be an approver under another name. */
  strangers: string[];
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
