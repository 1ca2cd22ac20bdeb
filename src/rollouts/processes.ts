import { POOLED_SEGMENT, weightOf, withCompanions } from '../domain/evidence/alpha.ts';
import { limitFrom, weightLeft } from '../domain/evidence/baseline.ts';
import type { Guardrail } from '../domain/release.ts';
import type { RolloutRecord } from '../records/rollout.ts';

/** What a rate is judged against in a segment; for `*` by segment. */
export interface RateLimit {
  limit: number;
  limits?: Record<string, number>;
  baselineThin?: true;
}

/** What judges a guardrail in a segment, or in all together for `*`: the rate and its companions. */
export interface GuardrailProcesses {
  rate: RateLimit & { weight: number };
  /** Harms a day that are allowed, by segment, and the weight of their count. */
  count?: { perDay: Record<string, number>; weight: number };
  /** The comparison with the release in force; within one segment only. */
  control?: { ratio: number; weight: number };
  /** The same of a sum. */
  difference?: { more: number; weight: number };
}

export function processesOf(
  rollout: RolloutRecord,
  guardrail: Guardrail,
  segment: string,
): GuardrailProcesses {
  const perDay = perDayOf(rollout, guardrail.metric, segment);
  const share = weightOf(rollout.plan.shares, guardrail.metric, segment);
  const compared = segment === POOLED_SEGMENT ? undefined : guardrail.control;
  const weights = withCompanions(share, { counted: perDay !== undefined, compared: compared !== undefined });
  return {
    rate: {
      ...rateLimitOf(rollout, guardrail, segment),
      weight: weightLeft(guardrail.limit, weights.rate),
    },
    ...(perDay && { count: { perDay, weight: weights.count } }),
    ...(compared && 'ratio' in compared && { control: { ...compared, weight: weights.control } }),
    ...(compared && 'more' in compared && { difference: { ...compared, weight: weights.control } }),
  };
}

/** By the locked baseline, where the guardrail is against it. */
export function rateLimitOf(
  { baseline }: Pick<RolloutRecord, 'baseline'>,
  { metric, limit }: Guardrail,
  segment: string,
): RateLimit {
  const rows = (baseline ?? []).filter((row) => row.metric === metric);
  if (segment === POOLED_SEGMENT && typeof limit !== 'number') {
    const limits = Object.fromEntries(
      rows.flatMap((row) => (typeof row.pooled?.limit === 'number' ? [[row.segment, row.pooled.limit]] : [])),
    );
    return { limit: Math.max(0, ...Object.values(limits)), limits };
  }
  const own = limitFrom(limit, rows.find((row) => row.segment === segment)?.own);
  return { limit: own ?? 1, ...(own === null && { baselineThin: true }) };
}

/**
 * None where the rate has no companion. Spread needs two segments to be spread over; whether there are two is settled before
 * anything is exposed, for with a companion the rate gives up a part of its weight, and it may have fired with all of it.
 */
function perDayOf(
  { per_day: limits }: RolloutRecord,
  metric: string,
  judged: string,
): Record<string, number> | undefined {
  const own = (limits ?? []).filter(
    (one) => one.metric === metric && (judged === POOLED_SEGMENT ? !one.later : one.segment === judged),
  );
  const known = own.flatMap(({ segment, perDay }) => (perDay === null ? [] : [[segment, perDay] as const]));
  const enough = judged === POOLED_SEGMENT ? known.length >= 2 : known.length === 1;
  return enough ? Object.fromEntries(known) : undefined;
}
