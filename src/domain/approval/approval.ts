import { type Agent, standsBehind } from '../agent.ts';
import { isNamed, isSame } from '../naming.ts';
import type { ApprovalPolicy, Need } from '../release.ts';
import { assign, isFilled, type Supporter } from './assignment.ts';

export type Verdict = 'approve' | 'deny';

/** A group that may answer as well in a stage, since when and why. */
export interface Route {
  group: string;
  stage: number;
  because: 'unreached' | 'out_of_hours' | 'unanswered';
  at: string;
}

/** The action as far as it matters to who may answer. */
export interface AskedAction {
  approval: ApprovalPolicy | null;
  stage: number;
  routed: readonly Route[];
  behind: readonly string[];
  asked_by: string;
  risk: 'low' | 'medium' | 'high';
}

/** Somebody acts for somebody else, in one group or in all of theirs. */
export interface Deputy {
  id: string;
  from: string;
  to: string;
  group: string | null;
}

/** Who is what, at the moment in question. */
export interface Eligibility {
  agent: Agent;
  /** Group and person; live groups as last read. */
  members: readonly { group: string; person: string }[];
  /** Live groups that could not be read for too long: nobody of them counts. */
  stale: readonly string[];
  deputies: readonly Deputy[];
  /** Who changed the arguments of this action. */
  editors: readonly string[];
}

/** By what right a person answers: their own or somebody's whose deputy they are, and the slots it can fill. */
export interface Right {
  for: string;
  deputy?: string;
  options: readonly { slot: string; group: string }[];
}

export type Refusal = {
  because:
    | 'unknown_person'
    | 'not_in_group'
    | 'not_this_stage'
    | 'group_stale'
    | 'requester'
    | 'stands_behind'
    | 'edited_it'
    | 'not_from_slack'
    | 'reason_needed';
  message: string;
};

export const BREAK_GLASS_SLOT = 'break-glass';
export const slotOf = (stage: number, group: string): string => `${stage}/${group}`;

/** Whether an account of Slack is enough to approve this; to deny it always is. */
export function slackMayApprove({ approval, risk }: Pick<AskedAction, 'approval' | 'risk'>): boolean {
  return approval?.slackApproves === 'any' || (approval?.slackApproves === 'not-high' && risk !== 'high');
}

/**
 * Why a person must not answer whatever group they are in: never the requester, nor whoever prompted or drives it, nor
 * whoever owns or deploys the agent, nor whoever edited the arguments. `testMode` lifts ownership and asking, no more.
 */
export function conflictOf(
  person: string,
  { agent, editors }: Pick<Eligibility, 'agent' | 'editors'>,
  action: Pick<AskedAction, 'behind' | 'asked_by'>,
): Refusal | undefined {
  if (!Object.hasOwn(agent.people, person))
    return { because: 'unknown_person', message: `${person} is not a person of agent "${agent.agent}"` };
  const asked = isSame(agent, person, action.asked_by) && !agent.testMode;
  if (asked || isNamed(agent, person, action.behind))
    return {
      because: 'requester',
      message: `${person} asked for it, and nobody approves their own request`,
    };
  if (editors.includes(person))
    return {
      because: 'edited_it',
      message: `${person} changed the arguments, and somebody else must answer`,
    };
  if (!agent.testMode && standsBehind(agent, person))
    return { because: 'stands_behind', message: `${person} owns or deploys agent "${agent.agent}"` };
  return undefined;
}

/**
 * By what right a person may approve now, or why not. Their own membership comes before anybody's they stand in for;
 * who may not answer themselves lends no right either. `taken`: whose right others used already.
 */
export function rightToApprove(
  person: string,
  eligibility: Eligibility,
  action: AskedAction,
  taken: readonly string[] = [],
): { right: Right } | { refusal: Refusal } {
  const refusal = conflictOf(person, eligibility, action);
  if (refusal) return { refusal };
  const right = rightIn(person, eligibility, action, optionsIn(action, action.stage), taken);
  if (right) return { right };
  const everywhere = (action.approval?.stages ?? []).flatMap((_, stage) => optionsIn(action, stage));
  if (rightIn(person, eligibility, action, everywhere)) {
    const message = `${person} answers in another stage, and this is stage ${action.stage + 1}`;
    return { refusal: { because: 'not_this_stage', message } };
  }
  return { refusal: outsider(person, eligibility, action) };
}

/** Whether a person may deny: whoever may answer in any stage, or may break the glass. */
export function mayDeny(person: string, eligibility: Eligibility, action: AskedAction): Refusal | undefined {
  const refusal = conflictOf(person, eligibility, action);
  if (refusal) return refusal;
  const { approval } = action;
  const options = [
    ...(approval?.stages ?? []).flatMap((_, stage) => optionsIn(action, stage)),
    ...(approval?.breakGlass ? [{ slot: BREAK_GLASS_SLOT, group: approval.breakGlass }] : []),
  ];
  // A denial stops only: a group that is stale may still do it.
  const known = { ...eligibility, stale: [] };
  return rightIn(person, known, action, options) ? undefined : outsider(person, eligibility, action);
}

/** By what right a person may approve alone in an emergency, or why not. */
export function rightToBreakGlass(
  person: string,
  eligibility: Eligibility,
  action: AskedAction,
): { right: Right } | { refusal: Refusal } {
  const refusal = conflictOf(person, eligibility, action);
  if (refusal) return { refusal };
  const group = action.approval?.breakGlass;
  const right = group && rightIn(person, eligibility, action, [{ slot: BREAK_GLASS_SLOT, group }]);
  if (right) return { right };
  const message = group
    ? `${person} is not in "${group}", which may break the glass`
    : 'its release lets nobody break the glass';
  return { refusal: { because: 'not_in_group', message } };
}

/** Everyone who may approve now, in the order of the groups. */
export function approversOf(eligibility: Eligibility, action: AskedAction): string[] {
  const people = [
    ...eligibility.members.map(({ person }) => person),
    ...eligibility.deputies.map(({ to }) => to),
  ];
  return [...new Set(people)].filter((person) => 'right' in rightToApprove(person, eligibility, action));
}

/** What a stage asks for; escalation groups fill any slot of it. */
function optionsIn(action: AskedAction, stage: number): { slot: string; group: string }[] {
  const needs = action.approval?.stages[stage] ?? [];
  const routed = action.routed.filter((route) => route.stage === stage);
  return [
    ...needs.map(({ group }) => ({ slot: slotOf(stage, group), group })),
    ...routed.flatMap((route) =>
      needs.map((need) => ({ slot: slotOf(stage, need.group), group: route.group })),
    ),
  ];
}

function rightIn(
  person: string,
  eligibility: Eligibility,
  action: AskedAction,
  options: readonly { slot: string; group: string }[],
  taken: readonly string[] = [],
): Right | undefined {
  const isMember = (who: string, group: string) =>
    !eligibility.stale.includes(group) &&
    eligibility.members.some((member) => member.group === group && member.person === who);
  const own = options.filter(({ group }) => isMember(person, group));
  if (own.length > 0) return { for: person, options: own };
  // Whose right is used already comes last: it is refused later, with a word for it.
  const lenders = [...eligibility.deputies].sort(
    (one, other) => Number(taken.includes(one.from)) - Number(taken.includes(other.from)),
  );
  for (const deputy of lenders) {
    if (deputy.to !== person || conflictOf(deputy.from, eligibility, action)) continue;
    const lent = options.filter(
      ({ group }) => (deputy.group === null || deputy.group === group) && isMember(deputy.from, group),
    );
    if (lent.length > 0) return { for: deputy.from, deputy: deputy.id, options: lent };
  }
  return undefined;
}

function outsider(person: string, eligibility: Eligibility, action: AskedAction): Refusal {
  const asked = [...(action.approval?.stages.flat() ?? []), ...action.routed].map(({ group }) => group);
  const stale = asked.filter((group) => eligibility.stale.includes(group));
  if (stale.length > 0) {
    const message = `nobody of "${stale.join('", "')}" counts: its members could not be read for too long`;
    return { because: 'group_stale', message };
  }
  const groups = [...new Set(asked)].join('", "');
  return { because: 'not_in_group', message: `${person} is not in approver group "${groups || 'none'}"` };
}

/** One approval of the stage that is open. */
export interface Supporting {
  person: string;
  options: Right['options'];
}

/** Where the approvals of one stage leave it: which slot each person fills, and what is still missing. */
export function tallyStage(
  needs: readonly Need[],
  stage: number,
  approvals: readonly Supporting[],
): { filled: boolean; slots: ReadonlyMap<string, string> } {
  const wanted = needs.map(({ group, quorum }) => ({ slot: slotOf(stage, group), count: quorum }));
  const supporters: Supporter[] = approvals.map(({ person, options }) => ({
    person,
    slots: options.map(({ slot }) => slot),
  }));
  const slots = assign(wanted, supporters);
  return { filled: isFilled(wanted, slots), slots };
}
