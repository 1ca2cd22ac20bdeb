import { defineSignal } from '@temporalio/workflow';

export const APPROVAL_DIGEST_WORKFLOW = 'approvalDigest';

export interface ApprovalDigestInput {
  agent: string;
}

export const approvalDigestWorkflowId = (agent: string): string => `digest/${agent}`;

/** Something the agent's digests speak of is different, or something joined them: look at the record. */
export const changedSignal = defineSignal('changed');
