import { figure as digits } from '../rates.ts';
import type { ArmsCompared } from './arms.ts';
import { type Figure, figureText, shareText } from './figure.ts';
import type { BusinessSet } from './figures.ts';

/** The figures of a set in the order in which they are told; latency and cost stand together. */
export const figuresOf = ({ completion, correction, effort, cost, latency }: BusinessSet): Figure[] => [
  completion,
  correction,
  effort.waiting,
  effort.turns,
  effort.contacts,
  effort.repeats,
  effort.handOvers,
  cost,
  latency,
];

/** "caused" is said between arms only, and only where chance is no explanation. */
export function armsSentence({
  segment,
  release,
  candidate,
  control,
  difference,
  lower,
  upper,
  says,
}: ArmsCompared): string {
  const seen = `${segment}: of release ${release} ${shareText(candidate.right, candidate.started)} tasks stayed right, beside it ${shareText(control.right, control.started)}`;
  if (difference === null || lower === null || upper === null)
    return `${seen}. Both never ran at the same time: nothing can be compared.`;
  const points = `${signed(difference)} points (${signed(lower)} to ${signed(upper)})`;
  if (says === 'caused-worse') return `${seen}. The release caused ${points}: fewer tasks stay right.`;
  if (says === 'caused-better') return `${seen}. The release caused ${points}: more tasks stay right.`;
  return `${seen}; ${points}: no effect is shown.`;
}

const signed = (share: number): string => `${share >= 0 ? '+' : ''}${digits(share * 100)}`;

/** Before and after: it moved, together with whatever else changed. */
export function beforeText(now: Figure, before: Figure): string {
  if (now.value === null || before.value === null) return 'no comparison: one of the two is unknown';
  return `${figureText(before)} before; moved together with whatever else changed, not shown to be caused`;
}
