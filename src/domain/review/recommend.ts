import type { CycleDecision, SeenVerdict } from './cycle.ts';

/**
 * What the frozen criteria say of a cycle, from its verdicts alone: one breach and it is taken back; all `ok` and it goes
 * on; else people look, because what is not known is no yes.
 */
export function recommend(verdicts: readonly Pick<SeenVerdict, 'verdict'>[]): CycleDecision {
  if (verdicts.some(({ verdict }) => verdict === 'breach')) return 'roll_back';
  if (verdicts.length > 0 && verdicts.every(({ verdict }) => verdict === 'ok')) return 'go_on';
  return 'review';
}
