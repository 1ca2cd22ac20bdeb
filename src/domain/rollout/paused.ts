import { spanWords } from '../duration.ts';

/** Who acts where nobody does: the plan of a rollout itself. */
export const BY_PLAN = 'plan';

/** Who acts on a verdict. */
export const JUDGE = 'judge';

/** Who or what paused a rollout, why, and how long ago. */
export interface Paused {
  by: string;
  because: string;
  agoMs: number;
}

/** In one line: "paused by ana 2 h ago: costs look wrong (rollout resume)". */
export function pausedText(paused: Paused | undefined): string {
  if (!paused) return 'it is paused (rollout resume)';
  const { by, because, agoMs } = paused;
  const who = by === JUDGE || by === BY_PLAN ? `held by the ${by}` : `paused by ${by}`;
  return `${who} ${agoText(agoMs)}: ${because.trim().replaceAll(/\s+/g, ' ')} (rollout resume)`;
}

export const agoText = (ms: number): string => `${spanWords(Math.max(0, ms))} ago`;
