import type { Decision } from '../decision/decide.ts';
import { quorumOf } from '../release.ts';

/** How strict an answer is: allow 0, ask by the people who must agree, deny beyond any number of them. */
export function strictnessOf(answer: string): number {
  if (answer === 'allow') return 0;
  if (answer === 'deny') return Number.POSITIVE_INFINITY;
  return Number(answer.split(':')[1] ?? 1);
}

/** A decision in the words of a case: `allow`, `ask:2`, `deny`. */
export function answerOf({ outcome, approval }: Pick<Decision, 'outcome' | 'approval'>): string {
  if (outcome === 'allowed') return 'allow';
  return outcome === 'denied' ? 'deny' : `ask:${Math.max(1, quorumOf(approval))}`;
}
