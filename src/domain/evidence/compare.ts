import { rateSample, type Sequence, sequencesOf } from './asymptotic.ts';
import { controlLogE } from './control.ts';
import { type BinaryCounts, eValueOf } from './eprocess.ts';

/** Two arms, each subject once; `treatment` is the share that chance gave the new release. */
export interface Arms {
  treated: BinaryCounts;
  control: BinaryCounts;
  treatment: number;
  ratio: number;
  alpha: number;
}

/** What they say beside each other. */
export interface Compared {
  /** Natural log of E against "at most `ratio` times control's share" (STATISTICS 4.3). */
  logE: number;
  /** At most Number.MAX_VALUE. */
  eValue: number;
  alpha: number;
  /** Of the shares of harmful subjects, the new release minus control. */
  difference: number;
  /** For display only (STATISTICS 4.7); empty while an arm has nobody. */
  sequences: readonly Sequence[];
}

/** @throws RangeError for counts, a share, a ratio or an alpha that cannot be */
export function compareArms({ treated, control, treatment, ratio, alpha }: Arms): Compared {
  for (const { events, harms } of [treated, control])
    if (harms > events) throw new RangeError(`${harms} of ${events} cannot be harmful`);
  if (!(alpha > 0 && alpha < 0.5)) throw new RangeError(`alpha is ${alpha}, it must be between 0 and 0.5`);
  const logE = controlLogE(treated.harms, control.harms, treatment, ratio);
  const [ours, theirs] = [rateSample(treated), rateSample(control)];
  return {
    logE,
    eValue: eValueOf(logE),
    alpha,
    difference: ours.mean - theirs.mean,
    sequences: sequencesOf(ours, theirs, alpha),
  };
}
