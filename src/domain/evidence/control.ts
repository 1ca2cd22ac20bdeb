import { type Fired, firing } from './alpha.ts';
import { logBeta, logUpperBeta } from './beta.ts';

const WHOLE = 10_000;
/** Beta(½, ½), cut at θ0 (STATISTICS 4.3). */
const PRIOR = 0.5;

/** What one arm did: subjects first seen in it, harmful ones among them, and those of which somebody said what came of them. */
export interface ArmCounts {
  subjects: number;
  harms: number;
  known: number;
}

/** Subjects first seen while one share of a segment was exposed. */
export interface Stratum {
  /** The exposure they were assigned by, in hundredths of a percent: above 0 and below 10,000. */
  exposure: number;
  treated: ArmCounts;
  control: ArmCounts;
}

/** What the comparison with the release in force at the same time is judged by. */
export interface ControlFacts {
  /** How many times the control arm's share of harmful subjects is let pass; at least 1. */
  ratio: number;
  strata: readonly Stratum[];
  weight: number;
  firedBefore: boolean;
  /** How often it began anew with those who were new then: the weight is what that left of it. */
  anew?: number;
}

/** What it came to. */
export interface ControlJudged extends Fired {
  /** Harmful subjects; of the control arm with those of whom nobody said anything, for silence proves nothing. */
  treatedHarms: number;
  controlHarms: number;
}

/**
 * log E of the harmful subjects of two arms against "at most `ratio` times the control's share", given that a share
 * `treatment` of the subjects is treated: the conditional binomial with a Beta(½, ½) cut at θ0 = πr/(πr+1−π) (STATISTICS 4.3;
 * Lindon & Malek, arXiv:2011.03567):
 * lnB(a+S1, b+S0) + ln Ī(a+S1, b+S0) − lnB(a,b) − ln Ī(a,b) − S1 ln θ0 − S0 ln(1−θ0), Ī = 1 − I_θ0.
 */
export function controlLogE(treated: number, control: number, treatment: number, ratio: number): number {
  const whole = Number.isSafeInteger(treated) && Number.isSafeInteger(control);
  if (!(whole && treated >= 0 && control >= 0))
    throw new RangeError(`Cannot compare arms: ${treated} harmful subjects against ${control}`);
  if (!(treatment > 0 && treatment < 1 && ratio >= 1 && Number.isFinite(ratio)))
    throw new RangeError(`Cannot compare arms: a share of ${treatment} is treated, with a ratio of ${ratio}`);
  if (treated + control === 0) return 0;
  const odds = treatment * ratio;
  const theta = odds / (odds + 1 - treatment);
  const [a, b] = [PRIOR + treated, PRIOR + control];
  return (
    logBeta(a, b) +
    logUpperBeta(theta, a, b) -
    logBeta(PRIOR, PRIOR) -
    logUpperBeta(theta, PRIOR, PRIOR) -
    treated * Math.log(theta) -
    control * Math.log1p(-theta)
  );
}

/**
 * Judges the candidate beside the release in force. Exact under random assignment: each subject counts once, where it was
 * first seen, and each share of exposure has a process of its own; their product is one too, so the logarithms add. Harm is what
 * was known of a subject when its day became ripe, in both arms: harm of control that came later would lower what was judged by
 * already, and no supermartingale survives that.
 */
export function judgeControl(alpha: number, facts: ControlFacts): ControlFacts & ControlJudged {
  let [logE, treatedHarms, controlHarms] = [0, 0, 0];
  for (const { exposure, treated, control } of facts.strata) {
    const withSilence = control.harms + control.subjects - control.known;
    logE += controlLogE(treated.harms, withSilence, exposure / WHOLE, facts.ratio);
    treatedHarms += treated.harms;
    controlHarms += withSilence;
  }
  return { ...facts, treatedHarms, controlHarms, ...firing(alpha, facts, logE) };
}
