import { defineSignal } from '@temporalio/workflow';
import type { ActionState } from '../src/domain/action.ts';

export const GOVERNED_ACTION_WORKFLOW = 'governedAction';

export interface GovernedActionInput {
  actionId: string;
  /** Carried over continue-as-new by runs of before `Patch.FollowRecord`. */
  reminded?: boolean;
}

/** The state it saw last. */
export type GovernedActionResult = ActionState;

export const governedActionWorkflowId = (actionId: string): string => `action/${actionId}`;

/** Something about the action is different: look at the record. By signal-with-start, so that an ended one looks too. */
export const changed = defineSignal('changed');
