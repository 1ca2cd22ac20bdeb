import { defineQuery, defineSignal } from '@temporalio/workflow';

/**
 * What `temporal workflow start --type rollout` takes. The workflow id is `rollout/<id>`; `actor` is a person of the
 * agent's manifest who owns it.
 */
export interface RolloutInput {
  agent: string;
  release: string;
  actor: string;
  reason: string;
  /** Why the agent has no regression case yet; once per agent. */
  noneYet?: string;
  /** How often it continued as new; leave it out. */
  runs?: number;
}

/**
 * What the `rollback`, `pause` and `resume` signals take; without a segment `rollback` ends the rollout. `evidence` is for
 * `resume` when a new build waits: whether the sample begins anew with it (the default) or goes on.
 */
export interface VerbSignal {
  actor: string;
  reason: string;
  segment?: string;
  evidence?: 'anew' | 'go-on';
}

export const ROLLOUT_WORKFLOW = 'rollout';
const ID_PREFIX = 'rollout/';
export const rolloutWorkflowId = (rolloutId: string): string => ID_PREFIX + rolloutId;
/** The rollout's id from the workflow's. */
export const rolloutIdOf = (workflowId: string): string =>
  workflowId.startsWith(ID_PREFIX) ? workflowId.slice(ID_PREFIX.length) : workflowId;

/** Something about the rollout changed: read it again. */
export const changedSignal = defineSignal('changed');
export const rollbackSignal = defineSignal<[VerbSignal]>('rollback');
export const pauseSignal = defineSignal<[VerbSignal]>('pause');
export const resumeSignal = defineSignal<[VerbSignal]>('resume');
/** What it does next and why its last signal was refused; lists and status read Postgres instead. */
export const nextMoveQuery = defineQuery<{ move: string; refused?: string }>('nextMove');
