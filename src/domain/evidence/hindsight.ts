import type { JudgedFacts } from './facts.ts';
import { judgeFacts } from './judge-facts.ts';

/**
 * Whether the rate, or the sum, of a guardrail would have taken its segment back by the days before `day` (counted from the start of the
 * rollout), had all that is known of them now been known then. Undefined while something of those days is not known, or nothing
 * was counted: harm that becomes known later only makes it sooner.
 */
export function wouldHaveBreached(facts: JudgedFacts, day: number): boolean | undefined {
  const { count: _count, control: _control, difference: _difference, sourceDown: _down, ...own } = facts;
  const before = <T extends { day: number }>(days: readonly T[]) => days.filter((one) => one.day < day);
  const buckets = before(facts.buckets);
  const sums = facts.sums && { ...facts.sums, buckets: before(facts.sums.buckets) };
  const then = { ...own, buckets, ...(sums && { sums }), breachedBefore: false, matureBefore: day };
  if (judgeFacts(then).verdict === 'breach') return true;
  const seen = sums?.buckets ?? buckets;
  const isKnown = seen.length > 0 && seen.every(({ events, known }) => known === events);
  return isKnown ? false : undefined;
}

/** What was recorded, no breach, and what would have been, by several guardrails; undefined where it cannot be told. */
export function hindsightOf(
  would: readonly (boolean | undefined)[],
): { recorded: string; now: string } | undefined {
  if (would.includes(true)) return { recorded: 'no breach', now: 'breach' };
  if (would.length === 0 || would.includes(undefined)) return undefined;
  return { recorded: 'no breach', now: 'no breach' };
}
