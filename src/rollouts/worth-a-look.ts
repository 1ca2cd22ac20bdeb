import type { Sql } from '../db/database.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { DRIFT_DAYS, driftLogE, sumDriftLogE } from '../domain/evidence/drift.ts';
import { eValueOf } from '../domain/evidence/eprocess.ts';
import type { SumDay } from '../domain/evidence/facts.ts';
import { FALSE_SHARE, reviewQueue } from '../domain/evidence/review-queue.ts';
import { bucketOf } from '../domain/evidence/sum.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { sumDaysOf } from './evidence.ts';
import { rateLimitOf } from './processes.ts';

/** What people should look at although nothing was taken back. */
export interface WorthALook {
  segment: string;
  metric: string;
  /** `evidence`: its e-value stands out among all; `drift`: it got worse lately. */
  why: 'evidence' | 'drift';
  /** The e-value, or the e-CUSUM of the drift. */
  value: number;
}

interface Judged {
  segment: string;
  metric: string;
  verdict: string;
  logE: number;
}

interface Exposed {
  segment: string;
  generation: number;
  verdicts: readonly Judged[];
}

/** Of the verdicts of the exposed segments as they are now: the strongest first, then what drifts. */
export async function worthALook(
  db: Sql,
  rollout: RolloutRecord,
  exposed: readonly Exposed[],
): Promise<WorthALook[]> {
  const open = exposed.flatMap(({ verdicts }) => verdicts).filter(({ verdict }) => verdict !== 'breach');
  const all = exposed.length * rollout.plan.guardrails.length;
  const strong = reviewQueue(open, FALSE_SHARE, all).map(
    ({ segment, metric, logE }): WorthALook => ({ segment, metric, why: 'evidence', value: eValueOf(logE) }),
  );
  const counts = await db
    .selectFrom('day_count')
    .innerJoin('rollout_segment', (join) =>
      join
        .onRef('rollout_segment.rollout_id', '=', 'day_count.rollout_id')
        .onRef('rollout_segment.segment', '=', 'day_count.segment')
        .onRef('rollout_segment.generation', '=', 'day_count.generation'),
    )
    .select(['day_count.segment', 'metric', 'day', 'events', 'harms'])
    .where('day_count.rollout_id', '=', rollout.id)
    .where('arm', '=', 'candidate')
    .execute();
  const sums = await livingSums(db, rollout, exposed);
  const drifting = open.flatMap(({ segment, metric }): WorthALook[] => {
    const guardrail = rollout.plan.guardrails.find((one) => one.metric === metric);
    const isOwn = (one: { segment: string; metric: string }) =>
      one.segment === segment && one.metric === metric;
    if (guardrail === undefined || strong.some(isOwn)) return [];
    const { limit } = rateLimitOf(rollout, guardrail, segment);
    const value = eValueOf(
      rollout.plan.sums?.[metric]
        ? sumDriftLogE(sums.filter(isOwn).map(bucketOf))
        : driftLogE(counts.filter(isOwn), limit),
    );
    return value >= DRIFT_DAYS ? [{ segment, metric, why: 'drift', value }] : [];
  });
  return [...strong, ...drifting];
}

/** The sums of each segment as it is exposed now. */
async function livingSums(db: Sql, rollout: RolloutRecord, exposed: readonly Exposed[]) {
  const sums: (SumDay & { metric: string })[] = [];
  for (const metric of Object.keys(rollout.plan.sums ?? {})) {
    const days = await sumDaysOf(db, rollout, metric, POOLED_SEGMENT);
    const living = days.filter((day) =>
      exposed.some(({ segment, generation }) => segment === day.segment && generation === day.generation),
    );
    sums.push(...living.map((day) => ({ ...day, metric })));
  }
  return sums;
}
