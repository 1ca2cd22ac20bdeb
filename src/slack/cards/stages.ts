import { slotOf, tallyStage } from '../../domain/approval.ts';
import { missingOf } from '../../domain/assignment.ts';
import type { Need } from '../../domain/release.ts';
import type { CardFacts } from './card-facts.ts';

/** How many of which group the open stage still needs; empty once it is complete. */
export function missingIn({ action, decisions }: Pick<CardFacts, 'action' | 'decisions'>): Need[] {
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
