import type { Selectable } from 'kysely';
import type { DecisionTable } from '../db/tables-action.ts';
import type { ActionEditTable } from '../db/tables-approvals.ts';
import { type ApprovalPolicy, describeStages, quorumOf } from '../domain/release.ts';
import type { ActionRow } from '../records/action.ts';
import type { ActionView } from './view.ts';

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

export const iso = (at: Date | null): string | undefined => at?.toISOString();

export function approvalViewOf({ approval, stage, round }: ActionRow): ApprovalView | undefined {
  if (!approval) return undefined;
  return { ...approval, group: describeStages(approval), quorum: quorumOf(approval), stage, round };
}

export const decisionView = (decision: Selectable<DecisionTable>): DecisionView => ({
  person: decision.person,
  verdict: decision.verdict,
  at: decision.at.toISOString(),
  via: decision.via,
  reason: decision.reason ?? undefined,
  round: decision.round,
  stage: decision.stage,
  for: decision.for_person === decision.person ? undefined : decision.for_person,
});

export const editView = ({ editor, at, via, round, reason, digest_before }: Edit): EditView => ({
  person: editor,
  at: at.toISOString(),
  via,
  round,
  reason: reason ?? undefined,
  digestBefore: digest_before,
});

export function breakGlassOf({
  break_glass,
  review,
  reviewed_by,
  reviewed_at,
}: ActionRow): ActionView['breakGlass'] {
  if (!break_glass) return undefined;
  if (!review || !reviewed_by || !reviewed_at) return {};
  return { reviewed: { person: reviewed_by, at: reviewed_at.toISOString(), ...review } };
}

export function executionOf(action: ActionRow): ExecutionView | undefined {
  if (!action.execution_id || !action.began_at) return undefined;
  return {
    executionId: action.execution_id,
    beganAt: action.began_at.toISOString(),
    startBy: iso(action.start_by),
    deadlineAt: iso(action.deadline_at),
    completedAt: iso(action.completed_at),
    resultDigest: action.result_digest ?? undefined,
    error: action.error_code ?? undefined,
  };
}

export function correctionOf(action: ActionRow): ActionView['correction'] {
  if (!action.corrected_by || !action.corrected_at) return undefined;
  const reason = action.correction_reason ?? undefined;
  return { person: action.corrected_by, at: action.corrected_at.toISOString(), reason };
}
