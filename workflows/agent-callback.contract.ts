import type { ActionState } from '../src/domain/action.ts';

export const AGENT_CALLBACK_WORKFLOW = 'agentCallback';

/** One change of one action: its record may have moved on since. */
export interface AgentCallbackInput {
  actionId: string;
  revision: number;
  state: ActionState;
  /** When it came to that state, ISO 8601. */
  at: string;
}

export const agentCallbackWorkflowId = ({
  actionId,
  revision,
}: Pick<AgentCallbackInput, 'actionId' | 'revision'>): string => `callback/${actionId}/${revision}`;
