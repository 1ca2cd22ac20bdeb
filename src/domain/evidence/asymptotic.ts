import { type BinaryCounts, supremum } from './eprocess.ts';
import { logGamma, logUpperGamma } from './gamma.ts';

/**
 * What other products would say of two arms: asymptotic confidence sequences, for display beside ours and never for a decision
 * (STATISTICS 4.7). Of a heavy tail they prove what is false 20 to 74 % of the time.
 */
export interface ArmSample {
  events: number;
  mean: number;
  variance: number;
}

/** A sequence by the name of who uses it. One-sided ones give no `upper`. */
export interface Sequence {
  as: 'growthbook' | 'statsig' | 'eppo';
  lower: number;
  upper: number | null;
}

/** The sample that a sequence is tightest at, GrowthBook's and Eppo's own default. */
export const TUNED_FOR = 5_000;

/** The mean and variance of events of which some were harmful. */
export function rateSample({ events, harms }: BinaryCounts): ArmSample {
  const mean = events === 0 ? 0 : harms / events;
  return { events, mean, variance: mean * (1 - mean) };
}

/** Bounds of `treated.mean − control.mean` as each product draws them, at `alpha`. Empty while an arm has no event. */
export function sequencesOf(treated: ArmSample, control: ArmSample, alpha: number): readonly Sequence[] {
  const total = treated.events + control.events;
  if (treated.events === 0 || control.events === 0) return [];
  const difference = treated.mean - control.mean;
  const squaredError = treated.variance / treated.events + control.variance / control.events;
  const two = eppoHalfWidth(squaredError, total, alpha);
  return [
    {
      as: 'growthbook',
      lower: difference - growthbookHalfWidth(squaredError * total, total, alpha),
      upper: null,
    },
    { as: 'statsig', lower: difference - statsigHalfWidth(treated, control, alpha), upper: null },
    { as: 'eppo', lower: difference - two, upper: difference + two },
  ];
}

/** ρ of GrowthBook's one-sided sequence (arXiv:2103.06476 eq. 134; gbstats `tests.py`). */
export const growthbookRho = (alpha: number, tunedFor = TUNED_FOR): number =>
  Math.sqrt((-2 * Math.log(2 * alpha) + Math.log(1 - 2 * Math.log(2 * alpha))) / tunedFor);

/** One-sided half-width at `n` events whose variance is `variance`. */
export function growthbookHalfWidth(variance: number, n: number, alpha: number): number {
  const spread = n * growthbookRho(alpha) ** 2;
  return Math.sqrt(
    ((variance * 2 * (spread + 1)) / (n * spread)) * Math.log(1 + Math.sqrt(spread + 1) / (2 * alpha)),
  );
}

/** z*·se of Statsig's one-sided mSPRT. */
export function statsigHalfWidth(treated: ArmSample, control: ArmSample, alpha: number): number {
  const v = treated.variance / treated.events + control.variance / control.events;
  const tau =
    (normalQuantile(alpha) ** 2 * (treated.variance + control.variance)) / (treated.events + control.events);
  if (v === 0) return 0;
  return Math.sqrt(((v + tau) / tau) * (-2 * Math.log(alpha) - Math.log(v / (v + tau))) * v);
}

/** The normal mixture of Howard et al. (arXiv:1810.08240), a bound on a sum of variance `v`: two-sided, as Eppo has it. */
export function normalMixtureBound(v: number, alpha: number, tunedFor: number): number {
  const rho = tunedFor / (Math.log(1 - 2 * Math.log(alpha)) - 2 * Math.log(alpha));
  return Math.sqrt((v + rho) * Math.log((v + rho) / (rho * alpha ** 2)));
}

const eppoHalfWidth = (squaredError: number, n: number, alpha: number): number =>
  Math.sqrt(squaredError / n) * normalMixtureBound(n, alpha, TUNED_FOR);

/** z with P(Z > z) = alpha, for alpha up to ½. */
export const normalQuantile = (alpha: number): number =>
  supremum((z) => z === 0 || logNormalTail(z) >= Math.log(alpha), Z_MAX);

const Z_MAX = 40;

/** ln P(Z > z) = ln(½ Γ(½, z²/2)/Γ(½)). */
const logNormalTail = (z: number): number => logUpperGamma(0.5, (z * z) / 2) - logGamma(0.5) - Math.LN2;
