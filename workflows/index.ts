export { agentCallback } from './agent-callback.ts';
export { alert } from './alert.ts';
export { governedAction } from './governed-action.ts';
export { rollout } from './rollout.ts';
