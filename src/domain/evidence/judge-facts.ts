import { judgeCount } from './companion.ts';
import { judgeControl } from './control.ts';
import { judgeDifference } from './difference.ts';
import { type Judged, type JudgedFacts, type Process, provesIn, sumOf } from './facts.ts';
import { type JudgeInput, judge } from './guardrail.ts';
import { spreadOf } from './spread.ts';
import { judgeSum } from './sum.ts';

/** Judges by the facts alone: whoever holds a record gets the same verdict from it again, bit for bit. */
export function judgeFacts(facts: JudgedFacts): Judged {
  const rate = facts.sums ? judgeSum(facts, facts.sums) : judgeRate(facts);
  if (!(facts.count || facts.control || facts.difference)) return rate;
  const count = facts.count && judgeCount(facts.kind, facts.alpha, facts.count);
  const control = facts.control && judgeControl(facts.alpha, facts.control);
  const difference = facts.difference && judgeDifference(facts.alpha, facts.difference);
  const fired: Process[] = [
    ...(rate.verdict === 'breach' ? ['rate' as const] : []),
    ...(count?.fired ? ['count' as const] : []),
    ...(control?.fired || difference?.fired ? ['control' as const] : []),
  ];
  const breach = fired.length > 0 ? ({ verdict: 'breach', moreNeeded: null } as const) : {};
  return {
    ...rate,
    ...breach,
    ...(count && { count }),
    ...(control && { control }),
    ...(difference && { difference }),
    firedBy: fired,
  };
}

function judgeRate(facts: JudgedFacts): Judged {
  const { kind, limit, limits, alpha, weight, minSample, breachedBefore, matureBefore } = facts;
  const buckets =
    limits === undefined
      ? facts.buckets
      : facts.buckets.filter(({ segment }) => Object.hasOwn(limits, segment));
  const own = buckets.filter(provesIn(facts));
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
  const dataState =
    facts.sourceDown !== undefined
      ? 'source-down'
      : facts.baselineThin || (mature.events > 0 && mature.known === 0)
        ? 'no-data'
        : 'live';
  return { ...judge({ ...common, evidence: { kind, limit, buckets, mature }, dataState }), known, mature };
}
