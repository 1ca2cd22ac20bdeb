import type { VerdictWord } from './guardrail.ts';

/** From what lets widen to what takes back: of two that are judged together the worse counts. */
const WORSE: readonly VerdictWord[] = ['ok', 'inconclusive', 'no-data', 'source-down', 'breach'];

/** The word of metrics that are judged together: a gain in one excuses no loss in the other. None of one is `no-data`. */
export const worstOf = (words: readonly (VerdictWord | undefined)[]): VerdictWord =>
  words
    .map((word) => word ?? 'no-data')
    .reduce((worst, word) => (WORSE.indexOf(word) > WORSE.indexOf(worst) ? word : worst), 'ok');
