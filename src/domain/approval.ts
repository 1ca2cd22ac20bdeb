import { type Agent, standsBehind } from './agent.ts';
import type { ApprovalPolicy } from './release.ts';

export type Verdict = 'approve' | 'deny';

/** Why a person may not decide, as a word; `undefined` when they may. */
export type Ineligible =
  | { because: 'unknown_person' | 'not_in_group' | 'requester' | 'stands_behind'; message: string }
  | undefined;

/**
 * Whether a person may decide on an action. Never the requester, nor whoever it acts for, nor whoever owns or deploys
 * the agent; `testMode` lifts only the last.
 */
export function eligibility(
  person: string,
  agent: Agent,
  action: { approval: ApprovalPolicy | null; behind: string | null; asked_by: string },
): Ineligible {
  if (!Object.hasOwn(agent.people, person)) {
    return { because: 'unknown_person', message: `${person} is not a person of agent "${agent.agent}"` };
  }
  const group = action.approval?.group;
  if (group === undefined || !agent.approvers[group]?.includes(person)) {
    return { because: 'not_in_group', message: `${person} is not in approver group "${group ?? 'none'}"` };
  }
  if (person === action.behind || (person === action.asked_by && !agent.testMode)) {
    return { because: 'requester', message: `${person} asked for it, and nobody approves their own request` };
  }
  if (!agent.testMode && standsBehind(agent, person)) {
    return { because: 'stands_behind', message: `${person} owns or deploys agent "${agent.agent}"` };
  }
  return undefined;
}

/** What the decisions so far amount to: one denial denies, `quorum` approvals approve. */
export function tally(
  verdicts: readonly Verdict[],
  policy: ApprovalPolicy,
): 'approved' | 'denied' | 'pending' {
  if (verdicts.includes('deny')) return 'denied';
  return verdicts.length >= policy.quorum ? 'approved' : 'pending';
}
