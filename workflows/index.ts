export { agentCallback } from './agent-callback.ts';
export { alert } from './alert.ts';
export { approvalDigest } from './approval-digest.ts';
export { governedAction } from './governed-action.ts';
export { rollout } from './rollout.ts';
export { weeklyReview } from './weekly-review.ts';
