import type { Judged, JudgedFacts } from '../domain/evidence/facts.ts';

export type { KnownBucket } from '../domain/evidence/facts.ts';

/** A verdict and exactly what it was reached from: `judgeFacts` of it gives the same again. */
export interface VerdictRecord extends Omit<JudgedFacts, 'count' | 'control' | 'difference'>, Judged {
  segment: string;
  metric: string;
  /** Where higher is better: what the release says; `limit` is on harm. */
  atLeast?: number;
  /** Of a ratio: what it is counted in. */
  unit?: string;
  /** The generation of each segment that the counts run up to. */
  generations: Readonly<Record<string, number>>;
}
