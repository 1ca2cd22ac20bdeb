import { mismatchText } from '../evidence/arms.ts';

/** What is known of how subjects split between the arms. */
export interface ArmsFacts {
  /** Segments whose subjects do not split as they are assigned, and what was seen of them. */
  mismatched?: readonly { segment: string; seen: string }[];
  /** Where that was accepted, and what is compared anew since compares nobody yet. */
  uncompared?: readonly { segment: string; metrics: readonly string[] }[];
}

/** No comparison of arms is worth anything there: a person settles it, and then there must be somebody to compare again. */
export const armsWaits = ({ mismatched = [], uncompared = [] }: ArmsFacts) => [
  ...mismatched.map(({ segment, seen }) => ({
    for: 'arms' as const,
    segment,
    detail: mismatchText(segment, seen),
  })),
  ...uncompared.map(({ segment, metrics }) => ({
    for: 'sample' as const,
    segment,
    detail: `${segment}: its arms were accepted, and of those who were new from the day after nobody is ripe in both arms yet: ${metrics.join(', ')} cannot be compared with the release in force`,
  })),
];
