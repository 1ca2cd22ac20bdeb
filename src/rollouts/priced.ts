import { fromFixed } from '../domain/evidence/sum-process.ts';
import type { Priced } from '../domain/rates.ts';
import type { RolloutRecord } from '../records/rollout.ts';

/** What a rate prices: harmful events by the day they began or, of a sum, what each day came to. */
export const pricedOf = (
  { started_at, plan }: Pick<RolloutRecord, 'started_at' | 'plan'>,
  counts: readonly { day: number; harms: number }[],
  sums?: readonly { day: number; total: string }[],
): Priced[] =>
  (sums
    ? sums.map(({ day, total }) => ({ day, count: fromFixed(BigInt(total)) }))
    : counts.map(({ day, harms }) => ({ day, count: harms }))
  ).map(({ day, count }) => ({ at: new Date(started_at.getTime() + day * plan.dayMs), count }));
