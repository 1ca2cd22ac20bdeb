import { eValueOf } from './eprocess.ts';

/** The segment name of the pooled process of a guardrail. */
export const POOLED_SEGMENT = '*';

/** The part of a guardrail's share that its pooled process gets (STATISTICS 4.5). */
export const POOLED_PART = 0.5;

/** The part that the segments present at the start share evenly (STATISTICS 4.5). */
export const STARTING_PART = 0.4;

/** The part kept for segments created later (STATISTICS 4.5). */
export const RESERVE_PART = 0.1;

/** The part of a weight that the rate keeps where companions go with it; they have the rest. */
export const RATE_PART = 0.5;

const SHARE_SUM_SLACK = 1e-9;

/** A guardrail's share v_g of the rollout's alpha; one that only reports gets nothing, whatever its share. */
export type GuardrailShare = {
  readonly guardrail: string;
  readonly share: number;
  readonly reportsOnly?: boolean;
};

/** One row of the allotment: the process of `guardrail` in `segment` fires at E ≥ 1/(alpha · weight). */
export type AlphaWeight = { readonly guardrail: string; readonly segment: string; readonly weight: number };

/** What an allotment is made from. */
export type AllotmentInput = {
  readonly guardrails: readonly GuardrailShare[];
  readonly startingSegments: readonly string[];
};

/** The share of each guardrail as the release weighs them against each other; one that only reports gets nothing. */
export function sharesOf(
  guardrails: readonly {
    readonly metric: string;
    readonly share: number;
    readonly action: 'rollback' | 'report';
  }[],
): readonly GuardrailShare[] {
  const acting = guardrails.filter(({ action }) => action === 'rollback');
  const sum = acting.reduce((total, { share }) => total + share, 0);
  return guardrails.map(({ metric, share, action }) => ({
    guardrail: metric,
    share: action === 'rollback' ? share / sum : 0,
    reportsOnly: action === 'report',
  }));
}

/** The weight of one process in an allotment; 0 where it has none. */
export const weightOf = (weights: readonly AlphaWeight[], guardrail: string, segment: string): number =>
  weights.find((one) => one.guardrail === guardrail && one.segment === segment)?.weight ?? 0;

/**
 * The weight that a guardrail has in each of so many segments or, of one that only reports, would have if it acted beside
 * those that do.
 */
export function dryWeight(
  guardrails: readonly {
    readonly metric: string;
    readonly share: number;
    readonly action: 'rollback' | 'report';
  }[],
  metric: string,
  segments: number,
): number {
  const own = guardrails.find((one) => one.metric === metric)?.share ?? 0;
  const others = guardrails.filter((one) => one.metric !== metric && one.action === 'rollback');
  const sum = others.reduce((total, { share }) => total + share, own);
  return sum === 0 ? 0 : ((own / sum) * STARTING_PART) / Math.max(1, segments);
}

/**
 * How many segments one rollout takes in after its start. Together they have 97 % of the reserve; the next one would weigh so
 * little that it takes more than twice the evidence of one that was there from the start.
 */
export const LATER_SEGMENTS_MAX = 20;

/** Weight of the j-th segment created after the start, j = 1, 2, …: reserve · 6/(π²j²) (STATISTICS 4.5). */
export function laterSegmentWeight(share: number, j: number): number {
  if (!Number.isSafeInteger(j) || j < 1) {
    throw new RangeError(`Cannot weigh a later segment: its number is ${j}, the first is 1`);
  }
  return (share * RESERVE_PART * 6) / (Math.PI ** 2 * j ** 2);
}

function requireDistinct(names: readonly string[], what: string): void {
  if (new Set(names).size !== names.length) {
    throw new RangeError(`Cannot allot alpha: a ${what} is named twice in ${names.join(', ')}`);
  }
}

/**
 * Allots one rollout's alpha, for life: per guardrail ½ to the pooled process, 0.4 evenly over the starting
 * segments, 0.1 in reserve for later ones (`withLaterSegment`). The weights sum to at most 1 (STATISTICS 4.5, weighted e-Bonferroni).
 */
export function allotAlpha(input: AllotmentInput): readonly AlphaWeight[] {
  const { guardrails, startingSegments } = input;
  requireDistinct([POOLED_SEGMENT, ...startingSegments], 'segment');
  requireDistinct(
    guardrails.map(({ guardrail }) => guardrail),
    'guardrail',
  );
  const shares = guardrails.map(({ share, reportsOnly }) => (reportsOnly === true ? 0 : share));
  const sum = shares.reduce((total, share) => total + share, 0);
  const valid = shares.every((share) => share >= 0) && (sum === 0 || Math.abs(sum - 1) <= SHARE_SUM_SLACK);
  if (!valid) throw new RangeError(`Cannot allot alpha: the shares ${shares.join(', ')} must sum to 1`);
  return guardrails.flatMap(({ guardrail }, g) => {
    const share = sum === 0 ? 0 : (shares[g] as number) / sum;
    const starting = (share * STARTING_PART) / Math.max(1, startingSegments.length);
    return [
      { guardrail, segment: POOLED_SEGMENT, weight: share * POOLED_PART },
      ...startingSegments.map((segment) => ({ guardrail, segment, weight: starting })),
    ];
  });
}

/**
 * The allotment with the j-th segment that came after the start. What was allotted before stays as it is, whatever fired
 * since: the weights of all that ever come sum to at most 1 (STATISTICS 4.5).
 */
export function withLaterSegment(
  weights: readonly AlphaWeight[],
  guardrails: readonly GuardrailShare[],
  { segment, j }: { readonly segment: string; readonly j: number },
): readonly AlphaWeight[] {
  requireDistinct([...new Set(weights.map((one) => one.segment)), segment], 'segment');
  const drawn = guardrails.map(({ guardrail, share }) => ({
    guardrail,
    segment,
    weight: laterSegmentWeight(share, j),
  }));
  return [...weights, ...drawn];
}

/** Which companions a rate has: the count over time, and the comparison with the control arm. */
export interface Companions {
  counted: boolean;
  compared: boolean;
}

/**
 * Divides the weight of a rate process between it and its companions. They are processes of their own, and either takes
 * back: a union, so the weights add up to what the one had (STATISTICS 4.5), and the chance of a false stop in a rollout
 * stays alpha. The rate keeps half, as 4.4 halves a weight where two processes share it: it finds what it found after about
 * log(2)/log(1/(alpha·weight)) more events. Without a companion it keeps all of it.
 */
export function withCompanions(
  weight: number,
  { counted, compared }: Companions,
): Record<'rate' | 'count' | 'control', number> {
  const rate = counted || compared ? weight * RATE_PART : weight;
  const each = (weight - rate) / (counted && compared ? 2 : 1);
  return { rate, count: counted ? each : 0, control: compared ? each : 0 };
}

/**
 * The weight of a comparison that began anew so many times, because the arms it compared were not as assigned and that was settled:
 * halved each time, so that all that ever begin so have together no more than it was allotted (w/2 + w/4 + … < w). What it came to
 * while the arms were not as assigned bounds no error, and is left out.
 */
export const weightAnew = (weight: number, anew: number): number => weight / 2 ** anew;

/** What a companion of the rate comes to, by its own part of the weight. */
export interface Fired {
  logE: number;
  eValue: number;
  /** Null: the guardrail only reports and cannot fire. */
  thresholdLogE: number | null;
  fired: boolean;
}

/** Whether a companion fires at log E; one that fired before stays so (STATISTICS 4.5). */
export function firing(
  alpha: number,
  { weight, firedBefore }: { readonly weight: number; readonly firedBefore: boolean },
  logE: number,
): Fired {
  const threshold = thresholdLogE(alpha, weight);
  return {
    logE,
    eValue: eValueOf(logE),
    thresholdLogE: weight > 0 ? threshold : null,
    fired: firedBefore || (weight > 0 && logE >= threshold),
  };
}

/** What log E must reach to fire: log(1/(alpha · weight)); never reached when the weight is 0 (STATISTICS 4.1, 4.5). */
export function thresholdLogE(alpha: number, weight: number): number {
  const valid = alpha > 0 && alpha < 1 && weight >= 0 && weight <= 1;
  if (!valid) throw new RangeError(`Cannot set a threshold: alpha is ${alpha} and the weight is ${weight}`);
  return weight === 0 ? Number.POSITIVE_INFINITY : -Math.log(alpha * weight);
}
