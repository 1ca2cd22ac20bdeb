import { type CountFacts, type CountJudged, judgeCount } from './companion.ts';
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
  /** Of the pooled process, where each segment has its own: one that is not named has none, and is left out. */
  limits?: Readonly<Record<string, number>>;
  /** The limit is of the baseline, and that does not suffice: nothing proves that all is well. */
  baselineThin?: boolean;
  alpha: number;
  weight: number;
  minSample: number;
  /** Whether the process of the rate fired before. */
  breachedBefore: boolean;
  /** Events of earlier days than this prove that all is well. */
  matureBefore: number;
  /** The builds whose events do; what takes a release back is of all of them. */
  builds: readonly string[];
  buckets: readonly KnownBucket[];
  /** The companion of the rate; none where nobody said, and nothing measured, how many harms a day are allowed. */
  count?: CountFacts;
}

/** What may take a release back: the rate, or its companion, the count over time. */
export type Process = 'rate' | 'count';

/** A judgement with the parts that are not its verdict and follow from the same facts. */
export interface Judged extends Verdict {
  /** Events of the builds that count on which somebody reported, of all days. */
  known: number;
  /** Of those, what proves that all is well; null for the pooled process, which proves nothing. */
  mature: MatureCounts | null;
  /** The pooled process before its cap, and the segment without which the cap is computed. */
  pooledLogE?: number;
  leftOut?: string;
  count?: CountFacts & CountJudged;
  /** Where there is a companion: which of the two reached its threshold. Either is a breach. */
  firedBy?: readonly Process[];
}

/** Which processes of a judgement reached their threshold, then or before. */
export const firedBy = ({
  verdict,
  firedBy: told,
}: Pick<Judged, 'verdict' | 'firedBy'>): readonly Process[] => told ?? (verdict === 'breach' ? ['rate'] : []);

/** Why it is a breach, for people. */
export function breachText(
  judged: Pick<Judged, 'verdict' | 'firedBy' | 'eValue' | 'count'> & { metric: string; limit: number },
): string {
  const { metric, limit, eValue, count } = judged;
  if (count === undefined || firedBy(judged).includes('rate'))
    return `${metric} above its limit of ${limit} (e-value ${eValue.toPrecision(4)})`;
  return `${metric}: ${count.total} harms in a time that allows ${Number(count.allowed.toPrecision(2))} (e-value ${count.eValue.toPrecision(4)})`;
}

/** Judges by the facts alone: whoever holds a record gets the same verdict from it again, bit for bit. */
export function judgeFacts(facts: JudgedFacts): Judged {
  const rate = judgeRate(facts);
  if (facts.count === undefined) return rate;
  const count = judgeCount(facts.kind, facts.alpha, facts.count);
  const fired: Process[] = [
    ...(rate.verdict === 'breach' ? ['rate' as const] : []),
    ...(count.fired ? ['count' as const] : []),
  ];
  const breach = fired.length > 0 ? ({ verdict: 'breach', moreNeeded: null } as const) : {};
  return { ...rate, ...breach, count, firedBy: fired };
}

function judgeRate(facts: JudgedFacts): Judged {
  const { kind, limit, limits, alpha, weight, minSample, breachedBefore, builds, matureBefore } = facts;
  const buckets =
    limits === undefined
      ? facts.buckets
      : facts.buckets.filter(({ segment }) => Object.hasOwn(limits, segment));
  const own = buckets.filter(({ build }) => builds.includes(build));
  const known = sumOf(own).known;
  const common: Omit<JudgeInput, 'evidence' | 'dataState'> = { alpha, weight, minSample, breachedBefore };
  if (kind === 'pooled') {
    const segments = [...new Set(buckets.map(({ segment }) => segment))].sort();
    const spread = spreadOf(
      segments.map((segment) => ({
        segment,
        limit: limits?.[segment] ?? limit,
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
  const dataState = facts.baselineThin || (mature.events > 0 && mature.known === 0) ? 'no-data' : 'live';
  return { ...judge({ ...common, evidence: { kind, limit, buckets, mature }, dataState }), known, mature };
}

/** Events, harms and reports of several buckets together. */
export function sumOf(buckets: readonly MatureCounts[]): MatureCounts {
  let [events, harms, known] = [0, 0, 0];
  for (const bucket of buckets) {
    events += bucket.events;
    harms += bucket.harms;
    known += bucket.known;
  }
  return { events, harms, known };
}
