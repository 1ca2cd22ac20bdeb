import type { Selectable } from 'kysely';
import type { DecisionTable } from '../db/tables-action.ts';
import { describeStages, quorumOf } from '../domain/release.ts';
import type { ActionRow } from '../records/action.ts';
import type { Services } from '../services.ts';
import type {
  ActionView,
  ApprovalView,
  DecisionView,
  Edit,
  EditView,
  ExecutionView,
  ViewParts,
} from './action-view.ts';

/** What `shown_with` answers: instants as JSON has them. */
export interface ShownWith {
  digest: string | null;
  decisions: (Omit<Selectable<DecisionTable>, 'at'> & { at: string })[] | null;
  edits: (Omit<Edit, 'at' | 'action_id'> & { at: string })[] | null;
}

/** The same with the manifest, which this process remembers by its digest. */
export async function partsOf(
  { worlds }: Pick<Services, 'worlds'>,
  action: Pick<ActionRow, 'id' | 'agent'>,
  { digest, decisions, edits }: ShownWith,
): Promise<ViewParts> {
  return {
    ...(digest !== null && { agent: await worlds.manifest(action.agent, digest) }),
    decisions: (decisions ?? []).map((one) => ({ ...one, at: new Date(one.at) })),
    edits: (edits ?? []).map((one) => ({ ...one, action_id: action.id, at: new Date(one.at) })),
  };
}

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
