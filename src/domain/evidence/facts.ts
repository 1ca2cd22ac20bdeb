import type { CountFacts, CountJudged } from './companion.ts';
import type { ControlFacts, ControlJudged } from './control.ts';
import type { DifferenceFacts, DifferenceJudged } from './difference.ts';
import type { DayBucket } from './eprocess.ts';
import type { MatureCounts, Verdict } from './guardrail.ts';
import { ratioText } from './ratio.ts';
import type { SumJson } from './sum-process.ts';

/** What one build did in one segment on one day; of `known` of its events somebody said what came of them. */
export interface KnownBucket extends DayBucket {
  segment: string;
  build: string;
  known: number;
}

/** What the values of one day add up to, of one build in one segment: integers in fixed point, as text. */
export interface SumDay extends SumJson {
  segment: string;
  build: string;
  day: number;
  known: number;
  /** Logs of the proof that all is well, against `cap`; empty without one. */
  safety: readonly string[];
  /** Subject-days above the cap: with one of them the cap is none, and proves nothing. */
  over: number;
  /** What the values of a ratio are set against, added up. */
  per?: string | undefined;
}

/** What the values of these days are set against together; `undefined` of a sum, whose values are. */
export function perOf(days: readonly Pick<SumDay, 'per'>[]): bigint | undefined {
  const parts = days.flatMap(({ per }) => (per === undefined ? [] : BigInt(per)));
  return parts.length === 0 ? undefined : parts.reduce((sum, per) => sum + per, 0n);
}

/** What a sum or a ratio is judged by. */
export interface SumFacts {
  /** What no subject can exceed in a day; without it a sum is never `ok` (STATISTICS 4.1). */
  cap?: number;
  /** Of a ratio: what one write is set against at most. */
  perMax?: number;
  buckets: readonly SumDay[];
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
  /** Events of earlier days than this do not: the segment was another one then. */
  provesFrom?: number;
  /** The builds whose events do; what takes a release back is of all of them. */
  builds: readonly string[];
  buckets: readonly KnownBucket[];
  /** Why the source of its events says nothing: an outage is no good news, and no bad one. */
  sourceDown?: string;
  /** Of a sum, which has no harms: `buckets` is empty then. */
  sums?: SumFacts;
  /** The companion of the rate; none where nobody said, and nothing measured, how many harms a day are allowed. */
  count?: CountFacts;
  /** The comparison with the release in force at the same time, where the guardrail asks for one. */
  control?: ControlFacts;
  /** The same of a sum. */
  difference?: DifferenceFacts;
}

/** Whether what came of a day proves that all is well: its build counts, and the segment was what it is now. */
export const provesIn =
  ({ builds, provesFrom = 0 }: Pick<JudgedFacts, 'builds' | 'provesFrom'>) =>
  ({ build, day }: { build: string; day: number }): boolean =>
    day >= provesFrom && builds.includes(build);

/** What may take a release back: the rate, or one of its companions. */
export type Process = 'rate' | 'count' | 'control';

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
  control?: ControlFacts & ControlJudged;
  difference?: DifferenceFacts & DifferenceJudged;
  /** Where there is a companion: which of them reached their threshold. Each is a breach. */
  firedBy?: readonly Process[];
}

/** Which processes of a judgement reached their threshold, then or before. */
export const firedBy = ({
  verdict,
  firedBy: told,
}: Pick<Judged, 'verdict' | 'firedBy'>): readonly Process[] => told ?? (verdict === 'breach' ? ['rate'] : []);

/** Which of those that fired people are told of: the rate before its companions. */
export const toldProcess = (judged: Pick<Judged, 'verdict' | 'firedBy'>): Process =>
  (['rate', 'count', 'control'] as const).find((process) => firedBy(judged).includes(process)) ?? 'rate';

/** Why it is a breach, for people. */
export function breachText(
  judged: Pick<Judged, 'verdict' | 'firedBy' | 'eValue' | 'estimate' | 'count' | 'control' | 'difference'> & {
    metric: string;
    limit: number;
    atLeast?: number;
    unit?: string;
    sums?: Pick<SumFacts, 'perMax'>;
  },
): string {
  const { metric, limit, atLeast, unit, eValue, estimate, sums, count, control, difference } = judged;
  const told = toldProcess(judged);
  const crossed = atLeast === undefined ? `above its limit of ${limit}` : `below its least of ${atLeast}`;
  if (control && told === 'control')
    return `${metric}: ${control.treatedHarms} harmful subjects beside ${control.controlHarms} of the release in force at the same time, of which ${control.ratio} times the share is let pass (e-value ${control.eValue.toPrecision(4)})`;
  if (difference && told === 'control')
    return `${metric}: ${asFigure(difference.treatedMean)} in the mean beside ${asFigure(difference.controlMean)} of the release in force at the same time, and ${difference.more} more is let pass (e-value ${difference.eValue.toPrecision(4)})`;
  if (count && told === 'count')
    return `${metric}: ${count.total} harms in a time that allows ${Number(count.allowed.toPrecision(2))} (e-value ${count.eValue.toPrecision(4)})`;
  if (sums?.perMax !== undefined)
    return `${metric}: ${ratioText(estimate === null ? null : asFigure(estimate), unit)} where ${limit} is the limit (e-value ${eValue.toPrecision(4)})`;
  return `${metric} ${crossed} (e-value ${eValue.toPrecision(4)})`;
}

const asFigure = (mean: number | null): string =>
  mean === null ? 'nothing' : String(Number(mean.toPrecision(4)));

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
