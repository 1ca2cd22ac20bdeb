import { z } from 'zod';
import { nameSchema } from '../agent.ts';
import { wordsSchema } from '../schema/words.ts';
import { wordsIn } from './word-count.ts';

/** What ends a cycle: a phase's gate, a rollback, another release, or that it is in force. */
export const CYCLE_ENDINGS = [
  'gate_passed',
  'gate_rejected',
  'rolled_back',
  'superseded',
  'in_force',
] as const;
export type CycleEnding = (typeof CYCLE_ENDINGS)[number];

export const DECISIONS = ['go_on', 'roll_back', 'review'] as const;
/** What is done with the release: widened or kept, taken back, or looked at before anything else. */
export type CycleDecision = (typeof DECISIONS)[number];

/** All that people write in a review has at most so many words. */
export const REVIEW_WORDS_MAX = 200;

/** A verdict as it stood when the facts were gathered. */
export interface SeenVerdict {
  segment: string;
  metric: string;
  verdict: string;
  /** The end of the period of harm that is allowed: as the release says. */
  limit: number | null;
  value: number | null;
  events: number;
  harms: number;
}

/** What changed since the cycle before, and what was seen. Facts of the system; nobody edits them. */
export interface CycleFacts {
  since: string;
  until: string;
  /** The release beside the one it was to replace. */
  releaseDiff: { sign: string; what: string; detail?: string }[];
  guardrails: { sign: string; what: string }[];
  builds: string[];
  switches: { scope: string; reason: string; by: string; at: string; endedAt: string | null }[];
  verdicts: SeenVerdict[];
  /** Per segment in declared money; null where no rates are declared. */
  cost: { currency: string; segments: { segment: string; metric: string; amount: number }[] } | null;
  /** The admitted cases run on the release, and what became of cases since; null where the agent has none. */
  cases: {
    green: number;
    red: number;
    unevaluable: number;
    notApplicable: number;
    added?: number;
    admitted?: number;
    waived?: number;
  } | null;
  incidents: string[];
}

export const CONFIDENCES = ['low', 'medium', 'high'] as const;
const instant = z.iso.date().describe('A day, UTC');

/** What people write. */
export const writtenReviewSchema = z.strictObject({
  cause: z.strictObject({
    mechanism: z
      .string()
      .regex(/^[a-z][a-z_]{1,40}$/, 'write a mechanism such as over_grant, or none')
      .describe('One of the mechanisms of incidents, or none'),
    confidence: z.enum(CONFIDENCES).describe('How sure you are'),
    text: wordsSchema.describe('What likely caused what was seen'),
    refutedBy: wordsSchema.describe('What would show that this is wrong'),
  }),
  next: z.strictObject({
    sentence: wordsSchema.describe('What is done next: begin with the verb'),
    owner: nameSchema.describe('One person of the agent'),
    by: instant.describe('Until which day, UTC'),
  }),
  prediction: z.strictObject({
    metric: nameSchema.describe('A metric of the agent'),
    segment: nameSchema.describe('A segment of it, or default'),
    from: z.number().describe('What it is now'),
    to: z.number().describe('What it will be'),
    by: instant.describe('Until which day, UTC'),
  }),
  decision: z.enum(DECISIONS).optional().describe('Default: what was done when the cycle ended'),
});
export type WrittenReview = z.infer<typeof writtenReviewSchema>;

/** What an ending says was done. */
export const doneBy = (ending: CycleEnding): CycleDecision =>
  ending === 'gate_passed' || ending === 'in_force'
    ? 'go_on'
    : ending === 'rolled_back'
      ? 'roll_back'
      : 'review';

/** The words of all that people wrote in a review. */
export const wordsOfReview = ({ cause, next }: WrittenReview): number =>
  wordsIn(`${cause.text} ${cause.refutedBy} ${next.sentence}`);

/**
 * What is wrong with a written review, besides its shape: each line says what, and what would do.
 * `now` and the days are compared as UTC days.
 */
export function reviewProblems(
  review: WrittenReview,
  agent: { people: readonly string[]; metrics: readonly string[]; segments: readonly string[] },
  mechanisms: readonly string[],
  today: string,
): string[] {
  const { cause, next, prediction } = review;
  const oneOf = (what: string, value: string, known: readonly string[]) =>
    known.includes(value) ? [] : [`${what}: "${value}" is none of ${known.join(', ')}`];
  const later = (what: string, day: string) =>
    day > today ? [] : [`${what}: ${day} is not after today, ${today}`];
  const words = wordsOfReview(review);
  return [
    ...(words > REVIEW_WORDS_MAX
      ? [`${words} words: a review has at most ${REVIEW_WORDS_MAX}, so take ${words - REVIEW_WORDS_MAX} away`]
      : []),
    ...oneOf('cause.mechanism', cause.mechanism, [...mechanisms, 'none']),
    ...oneOf('next.owner', next.owner, agent.people),
    ...later('next.by', next.by),
    ...oneOf('prediction.metric', prediction.metric, agent.metrics),
    ...oneOf('prediction.segment', prediction.segment, agent.segments),
    ...later('prediction.by', prediction.by),
  ];
}
