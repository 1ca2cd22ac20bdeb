import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { POOLED_SEGMENT, weightOf, withCompanions } from '../domain/evidence/alpha.ts';
import {
  BASELINE_PART,
  type BaselineCounts,
  type LockedBaseline,
  lockedLimit,
  lockedMean,
} from '../domain/evidence/baseline.ts';
import { fromFixed } from '../domain/evidence/sum-process.ts';
import type { Guardrail } from '../domain/release.ts';
import { changedSegments } from '../domain/rollout/join.ts';
import { type RolloutRecord, ripeBefore } from '../records/rollout.ts';

/**
 * What the release in force did in every segment until now, and the limits that follow from it for the guardrails that are
 * against the baseline: as it would be locked now.
 */
export async function baselineNow(tx: Sql, rollout: RolloutRecord, now: Date): Promise<LockedBaseline[]> {
  const counts = await countsOf(tx, rollout, now);
  const exposed = segmentsOf(rollout);
  const rows = counts.map((row): LockedBaseline => row);
  for (const guardrail of rollout.plan.guardrails) {
    if (typeof guardrail.limit === 'number') continue;
    for (const segment of exposed) {
      const { metric } = guardrail;
      const at = rows.findIndex((row) => row.segment === segment && row.metric === metric);
      const own = rows[at] ?? { segment, metric, events: 0, harms: 0, known: 0 };
      const locked = { ...own, ...limitsOf(rollout, guardrail, own, exposed.length) };
      if (at < 0) rows.push(locked);
      else rows[at] = locked;
    }
  }
  return rows.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : 1));
}

const keyOf = ({ segment, metric }: BaselineCounts): string => JSON.stringify([segment, metric]);

/**
 * Only what is ripe: of the last days nobody may have said yet what came of them. And only what each segment did since it is
 * what it is.
 */
async function countsOf(tx: Sql, rollout: RolloutRecord, now: Date): Promise<BaselineCounts[]> {
  const ripe = Object.keys(rollout.plan.matureAfter).map((metric) => ({
    metric,
    before: ripeBefore(rollout, metric, now),
  }));
  const changed = changedSegments(rollout.plan.joined);
  const { rows } = await sql<BaselineCounts & Record<'total' | 'squares', string | null> & { over: number }>`
    SELECT c.segment, c.metric, sum(c.events)::float8 AS events, sum(c.harms)::float8 AS harms, sum(c.known)::float8 AS known,
      sum(s.total)::text AS total, sum(s.squares)::text AS squares, sum(s.over)::float8 AS over
    FROM day_count c LEFT JOIN day_sum s USING (rollout_id, arm, segment, generation, metric, day, build)
    LEFT JOIN jsonb_to_recordset(${JSON.stringify(ripe)}::jsonb) AS r (metric text, before int) USING (metric)
    LEFT JOIN jsonb_to_recordset(${JSON.stringify(changed)}::jsonb) AS w (segment text, "from" int) USING (segment)
    WHERE c.rollout_id = ${rollout.id} AND c.arm = 'control' AND (r.before IS NULL OR c.day < r.before)
      AND c.day >= coalesce(w."from", 0)
    GROUP BY c.segment, c.metric ORDER BY c.segment, c.metric`.execute(tx);
  return rows.map(({ total, squares, over, ...counts }) => {
    if (total === null || counts.events === 0) return counts;
    const values = { sum: fromFixed(BigInt(total)), squares: fromFixed(BigInt(squares ?? 0)), over };
    return { ...counts, mean: values.sum / counts.events, values };
  });
}

const segmentsOf = ({ plan }: RolloutRecord): string[] =>
  Object.entries(plan.steps.at(-1)?.exposure ?? {}).flatMap(([segment, exposure]) =>
    exposure > 0 ? segment : [],
  );

/** Each process rests on bounds of its own; the pooled one on those of all segments together, so they share its part. */
function limitsOf(
  { plan }: RolloutRecord,
  { metric, limit, control }: Guardrail,
  counts: BaselineCounts,
  segments: number,
): Pick<LockedBaseline, 'own' | 'pooled'> {
  if (typeof limit === 'number') return {};
  const counted = (plan.companions ?? []).some((companion) => companion.metric === metric);
  const part = (segment: string): number =>
    plan.alpha *
    withCompanions(weightOf(plan.shares, metric, segment), {
      counted,
      compared: control !== undefined && segment !== POOLED_SEGMENT,
    }).rate *
    BASELINE_PART;
  const { margin } = limit.baseline;
  const cap = plan.sums?.[metric]?.cap;
  if (cap !== undefined) {
    // The logs of a day hold one limit: that of whichever process has the least part.
    const least = Math.min(part(counts.segment), part(POOLED_SEGMENT) / Math.max(1, segments));
    const locked = lockedMean(counts, cap, margin, least);
    return { own: locked, pooled: locked };
  }
  return {
    own: lockedLimit(counts, margin, part(counts.segment)),
    pooled: lockedLimit(counts, margin, part(POOLED_SEGMENT) / Math.max(1, segments)),
  };
}
