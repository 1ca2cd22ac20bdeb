import { normalMixtureBound, TUNED_FOR } from '../evidence/asymptotic.ts';
import { groupBy } from '../group-by.ts';
import { type CountedTasks, type TaskCounts, tasksOf } from './counts.ts';

export const ARMS_ALPHA = 0.01;
/** With fewer tasks in an arm nothing is said to be caused: the bound is asymptotic. */
export const ARM_TASKS_MIN = 30;

/** Tasks of two arms that ran beside each other, each subject in its arm by chance. */
export interface ArmsCompared {
  segment: string;
  /** The candidate. */
  release: string;
  candidate: TaskCounts;
  control: TaskCounts;
  /** Share of tasks that stayed right, candidate minus control, compared within each quarter of a day; null without overlap. */
  difference: number | null;
  lower: number | null;
  upper: number | null;
  /** Only here anything is "caused": chance alone told the arms apart. */
  says: 'caused-better' | 'caused-worse' | 'not-shown' | 'no-overlap';
}

/**
 * Compares the arms of each segment and candidate. Only quarters of a day in which both arms had tasks count, each by how much it can
 * tell (Mantel and Haenszel's weights, Sato's variance, Biometrics 1989, which also holds where a quarter has a task or two): exposure changes from step to step, and what changed
 * with the calendar is nobody's effect. The bound is a normal mixture (arXiv:1810.08240) and holds at every look.
 */
export function compareTasks(tasks: readonly CountedTasks[]): ArmsCompared[] {
  const candidates = tasks.filter(({ arm }) => arm === 'candidate');
  const places = groupBy(candidates, ({ segment, release }) => JSON.stringify([segment, release]));
  return [...places]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, [first, ...rest]]) => comparedIn(first, [first, ...rest], tasks));
}

function comparedIn(
  { segment, release }: CountedTasks,
  treated: readonly CountedTasks[],
  tasks: readonly CountedTasks[],
): ArmsCompared {
  const periods = new Set(treated.map(({ period }) => period.getTime()));
  const beside = tasks.filter(
    (one) => one.segment === segment && one.arm === 'control' && periods.has(one.period.getTime()),
  );
  const control = groupBy(beside, ({ period }) => period.toISOString());
  const strata = [...groupBy(treated, ({ period }) => period.toISOString())].flatMap(([period, own]) => {
    const other = control.get(period);
    return other ? [{ treated: tasksOf(own), control: tasksOf(other) }] : [];
  });
  const about = { segment, release, candidate: tasksOf(treated), control: tasksOf(beside) };
  return { ...about, ...differenceOf(strata) };
}

interface Stratum {
  treated: TaskCounts;
  control: TaskCounts;
}

type Difference = Pick<ArmsCompared, 'difference' | 'lower' | 'upper' | 'says'>;

function differenceOf(strata: readonly Stratum[]): Difference {
  let [weights, sum, p, q, treatedN, controlN] = [0, 0, 0, 0, 0, 0];
  for (const { treated, control } of strata) {
    const [m, n, x, y] = [treated.started, control.started, treated.right, control.right];
    if (m === 0 || n === 0) continue;
    const t = m + n;
    weights += (m * n) / t;
    sum += (x * n - y * m) / t;
    p += (m ** 2 * y - n ** 2 * x + (m * n * (n - m)) / 2) / t ** 2;
    q += (x * (n - y) + y * (m - x)) / (2 * t);
    treatedN += m;
    controlN += n;
  }
  if (weights === 0) return { difference: null, lower: null, upper: null, says: 'no-overlap' };
  const difference = sum / weights;
  const error = Math.sqrt(Math.max(0, difference * p + q)) / weights;
  const all = treatedN + controlN;
  const half = (error / Math.sqrt(all)) * normalMixtureBound(all, ARMS_ALPHA, TUNED_FOR);
  const [lower, upper] = [Math.max(-1, difference - half), Math.min(1, difference + half)];
  // No spread at all is no proof, unless one arm did all of it right and the other none.
  const enough = Math.min(treatedN, controlN) >= ARM_TASKS_MIN && (half > 0 || Math.abs(difference) === 1);
  const shown = enough && (lower > 0 || upper < 0);
  const says = !shown ? 'not-shown' : difference > 0 ? 'caused-better' : 'caused-worse';
  return { difference, lower, upper, says };
}
