import type { DayBucket } from '../domain/evidence/eprocess.ts';
import type { Verdict } from '../domain/evidence/guardrail.ts';

/** A verdict and exactly what it was reached from: enough to recompute it. */
export interface VerdictRecord extends Verdict {
  segment: string;
  metric: string;
  limit: number;
  alpha: number;
  weight: number;
  buckets: readonly KnownBucket[];
  /** Events somebody reported on, of all days. */
  known: number;
  matureBefore: number;
  /** The generation of each segment that the counts run up to. */
  generations: Readonly<Record<string, number>>;
}

/** A day's counts; `known` of its events somebody reported on. */
export interface KnownBucket extends DayBucket {
  known: number;
}
