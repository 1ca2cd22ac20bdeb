import {
  approversOf,
  type Eligibility,
  rightToApprove,
  slotOf,
  tallyStage,
} from '../domain/approval/approval.ts';
import { missingOf } from '../domain/approval/assignment.ts';
import type { Need } from '../domain/release.ts';
import type { ActionRow } from '../records/action.ts';
import type { GivenAnswer } from '../records/answer.ts';

/** How many of which group the open stage still needs; empty once it is complete. */
export function missingIn({
  action,
  decisions,
}: {
  action: Pick<ActionRow, 'approval' | 'stage'>;
  decisions: readonly GivenAnswer[];
}): Need[] {
  const { approval, stage } = action;
  const needs = approval?.stages[stage] ?? [];
  const given = decisions.filter((one) => one.verdict === 'approve' && one.stage === stage);
  const { slots } = tallyStage(needs, stage, given);
  const wanted = needs.map(({ group, quorum }) => ({ slot: slotOf(stage, group), count: quorum }));
  return missingOf(wanted, slots).map(({ slot, count }) => ({
    group: slot.slice(slotOf(stage, '').length),
    quorum: count,
  }));
}

type Answered = Pick<GivenAnswer, 'person' | 'for_person'>;

/**
 * For whom a person may answer now, themselves or somebody whose deputy they are; `undefined`: they may not. Nobody
 * answers twice in a round, nor for somebody for whom it was answered.
 */
export function answersFor(
  person: string,
  eligibility: Eligibility,
  action: ActionRow,
  decisions: readonly Answered[],
): string | undefined {
  const taken = decisions.filter((one) => one.person !== person).map((one) => one.for_person);
  const answer = rightToApprove(person, eligibility, action, taken);
  if (!('right' in answer)) return undefined;
  const other = answer.right.for;
  return decisions.some((one) => one.person === person || one.for_person === other) ? undefined : other;
}

/** Who may answer an action that waits. */
export interface Answerers {
  /** Who may answer now, by id. */
  approvers: readonly string[];
  /** Of these, who answers as whose deputy. */
  lent: Readonly<Record<string, string>>;
}

/** Who may answer now, and for whom, of those who do it as somebody's deputy. */
export function answerersOf(
  eligibility: Eligibility,
  action: ActionRow,
  decisions: readonly Answered[],
): Answerers {
  const pairs = approversOf(eligibility, action).map(
    (person) => [person, answersFor(person, eligibility, action, decisions)] as const,
  );
  const may = pairs.filter((pair): pair is [string, string] => pair[1] !== undefined);
  return {
    approvers: may.map(([person]) => person),
    lent: Object.fromEntries(may.filter(([person, other]) => person !== other)),
  };
}
