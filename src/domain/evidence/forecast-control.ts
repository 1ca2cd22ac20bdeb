import { controlLogE } from './control.ts';
import { BETS, type BinaryCounts, logMeanExp } from './eprocess.ts';

/** Who was first seen on one day: in which share of exposure, of both arms. */
export interface ArmsDay {
  exposed: number;
  treated: BinaryCounts;
  control: BinaryCounts;
}

/** A comparison as it goes on: log E after one more day whose subjects are ripe. */
export type Comparison = (day: ArmsDay) => number;

/** By harmful subjects (STATISTICS 4.3): a process for each share of exposure, multiplied. */
export function ratioComparison(ratio: number): Comparison {
  const strata = new Map<number, { treated: number; control: number; logE: number }>();
  return ({ exposed, treated, control }) => {
    const before = strata.get(exposed) ?? { treated: 0, control: 0, logE: 0 };
    const [one, other] = [before.treated + treated.harms, before.control + control.harms];
    if (treated.harms + control.harms > 0)
      strata.set(exposed, {
        treated: one,
        control: other,
        logE: controlLogE(one, other, exposed, ratio),
      });
    let logE = 0;
    for (const stratum of strata.values()) logE += stratum.logE;
    return logE;
  };
}

/**
 * By the mean of a sum whose values are 0 or the cap B: x = Z + B/(1−q) against `more` + B/(1−q), Z = Y/p of whoever is treated
 * and −Y/(1−p) of the others, p the share exposed and q the largest of the plan (STATISTICS 4.3).
 */
export function meanComparison(more: number, cap: number, mostExposed: number): Comparison {
  const shift = cap / (1 - mostExposed);
  const sums = BETS.map(() => 0);
  return ({ exposed, treated, control }) => {
    const parts: [number, number][] = [
      [treated.harms, cap / exposed],
      [control.harms, -cap / (1 - exposed)],
      [treated.events - treated.harms + control.events - control.harms, 0],
    ];
    for (const [j, bet] of BETS.entries())
      for (const [subjects, z] of parts)
        sums[j] =
          (sums[j] as number) + subjects * Math.log1p(bet * (Math.max(0, z + shift) / (more + shift) - 1));
    return logMeanExp(sums);
  };
}
