import { logBeta } from './beta.ts';

const WHOLE = 10_000;
/**
 * So many subjects the prior weighs: Beta(k·p, k·(1−p)) around the share p that is assigned. With 50 a share of 30 % is found
 * in the median after about 1,240 subjects where 25 % are assigned, and one arm alone after 20.
 */
export const PRIOR_SUBJECTS = 50;
/** The chance that arms which are as assigned are ever called mismatched, of a segment until it enters again or is accepted. */
export const FALSE_MISMATCH = 0.001;

/**
 * The same after its arms were accepted as they are `round` times. Each count that begins anew may spend half of what the one
 * before it might, so all that ever begin so spend no more together than the first alone: α/2 + α/4 + … < α.
 */
export const falseMismatch = (round: number): number => FALSE_MISMATCH / 2 ** round;

/** Subjects first seen while one share of a segment was exposed, by the arm they were in. */
export interface ArmStratum {
  /** In hundredths of a percent: above 0 and below 10,000. */
  exposure: number;
  treated: number;
  control: number;
}

/** Whether the subjects of a segment split as they were assigned. */
export interface ArmsJudged {
  /** How often they were accepted as they are; only what was asked since is counted. */
  round: number;
  strata: readonly ArmStratum[];
  seen: number;
  treated: number;
  /** How many of them the assigned shares would put in the candidate. */
  expected: number;
  logE: number;
  mismatched: boolean;
}

/**
 * log E of so many subjects of two arms against "each is treated with chance `share`, whatever came before": the Beta-binomial
 * mixture with Beta(k·p, k·(1−p)), two-sided (Lindon & Malek, arXiv:2011.03567):
 * lnB(kp+S1, k(1−p)+S0) − lnB(kp, k(1−p)) − S1 ln p − S0 ln(1−p).
 */
export function armsLogE(treated: number, control: number, share: number): number {
  const whole = Number.isSafeInteger(treated) && Number.isSafeInteger(control);
  if (!(whole && treated >= 0 && control >= 0))
    throw new RangeError(`Cannot judge arms: ${treated} subjects in the candidate and ${control} in control`);
  if (!(share > 0 && share < 1))
    throw new RangeError(`Cannot judge arms: a share of ${share} is assigned, it must be between 0 and 1`);
  const [a, b] = [PRIOR_SUBJECTS * share, PRIOR_SUBJECTS * (1 - share)];
  return (
    logBeta(a + treated, b + control) -
    logBeta(a, b) -
    treated * Math.log(share) -
    control * Math.log1p(-share)
  );
}

/**
 * Each share of exposure has a process of its own; their product is one too, so the logarithms add. So is what begins when the
 * arms were accepted, given all that came before: it judges only those who were new since.
 */
export function judgeArms(strata: readonly ArmStratum[], round = 0): ArmsJudged {
  let [seen, treated, expected, logE] = [0, 0, 0, 0];
  for (const one of strata) {
    const share = one.exposure / WHOLE;
    logE += armsLogE(one.treated, one.control, share);
    seen += one.treated + one.control;
    treated += one.treated;
    expected += (one.treated + one.control) * share;
  }
  const mismatched = logE >= -Math.log(falseMismatch(round));
  return { round, strata, seen, treated, expected, logE, mismatched };
}

const percent = (exposure: number): string => `${exposure / 100} %`;

/** What was seen beside what was assigned: "41 of 60 subjects that were new while 25 % were exposed are in the candidate; by that share 15 would be". */
export function armsText({
  round,
  strata,
  seen,
  treated,
  expected,
}: Omit<ArmsJudged, 'logE' | 'mismatched'>): string {
  const since = round > 0 ? 'since its arms were accepted ' : '';
  const [first, ...later] = [...strata].sort((one, other) => one.exposure - other.exposure);
  if (first === undefined || seen === 0) return `${since}no subjects yet`;
  const shares = [first, ...later].map(({ exposure }) => percent(exposure)).join(' and ');
  return `${since}${treated} of ${seen} subjects that were new while ${shares} were exposed are in the candidate; by that share ${Number(expected.toFixed(1))} would be`;
}

/** Who accepted arms that were not as assigned, and what that means for what is compared. */
export const acceptedText = ({ by, because }: { by: string; because: string }, at: string): string =>
  `accepted as they were by ${by}, ${at}: ${because}; what is compared with the release in force begins anew with those who are new from the day after`;

/** What was seen of a segment whose arms are not as assigned, what usually causes it, and what settles it. */
export const mismatchText = (segment: string, seen: string): string =>
  `${segment}: ${seen}: its arms are not as assigned, so comparing them is worth nothing. Usually one arm fails before it asks, what it asks does not arrive, or the ids of subjects depend on what was answered. Mend that, then roll the segment back and reenter or exclude it, or accept what is known of it (rollout accept-arms)`;
