import type { DayBucket } from './eprocess.ts';
import { type JudgeInput, judge, type MatureCounts, type Verdict } from './guardrail.ts';
import { spreadOf } from './spread.ts';

/** What one build did in one segment on one day; of `known` of its events somebody said what came of them. */
export interface KnownBucket extends DayBucket {
  segment: string;
  build: string;
  known: number;
}

/** Everything that one judgement rests on. Its record, and its entry in the log, hold it whole. */
export interface JudgedFacts {
  kind: 'rate' | 'pooled';
  limit: number;
  alpha: number;
  weight: number;
  minSample: number;
  breachedBefore: boolean;
  /** Events of earlier days than this prove that all is well. */
  matureBefore: number;
  /** The builds whose events do; what takes a release back is of all of them. */
  builds: readonly string[];
  buckets: readonly KnownBucket[];
}

/** A judgement with the parts that are not its verdict and follow from the same facts. */
export interface Judged extends Verdict {
  /** Events of the builds that count on which somebody reported, of all days. */
  known: number;
  /** Of those, what proves that all is well; null for the pooled process, which proves nothing. */
  mature: MatureCounts | null;
  /** The pooled process before its cap, and the segment without which the cap is computed. */
  pooledLogE?: number;
  leftOut?: string;
}

/** Judges by the facts alone: whoever holds a record gets the same verdict from it again, bit for bit. */
export function judgeFacts(facts: JudgedFacts): Judged {
  const { kind, limit, alpha, weight, minSample, breachedBefore, buckets, builds, matureBefore } = facts;
  const own = buckets.filter(({ build }) => builds.includes(build));
  const known = sumOf(own).known;
  const common: Omit<JudgeInput, 'evidence' | 'dataState'> = { alpha, weight, minSample, breachedBefore };
  if (kind === 'pooled') {
    const segments = [...new Set(buckets.map(({ segment }) => segment))].sort();
    const spread = spreadOf(
      segments.map((segment) => ({
        segment,
        limit,
        buckets: buckets.filter((one) => one.segment === segment),
      })),
    );
    const { events, harms } = sumOf(buckets);
    const evidence = { kind: 'pooled' as const, logE: spread.logE, events, harms };
    const { pooledLogE, leftOut } = spread;
    const capped = leftOut === undefined ? {} : { pooledLogE, leftOut };
    return { ...judge({ ...common, evidence, dataState: 'live' }), known, mature: null, ...capped };
  }
  const mature = sumOf(own.filter(({ day }) => day < matureBefore));
  const dataState = mature.events > 0 && mature.known === 0 ? 'no-data' : 'live';
  return { ...judge({ ...common, evidence: { kind, limit, buckets, mature }, dataState }), known, mature };
}

function sumOf(buckets: readonly KnownBucket[]): MatureCounts {
  let [events, harms, known] = [0, 0, 0];
  for (const bucket of buckets) {
    events += bucket.events;
    harms += bucket.harms;
    known += bucket.known;
  }
  return { events, harms, known };
}
