import type { Sql } from '../db/database.ts';
import { dayOf, type RolloutRecord } from '../records/rollout.ts';
import { SOURCE_BUILD } from './read-sources.ts';

const LATELY_DAYS = 7;
const WHOLE = 10_000;

/** Events a day of a segment and metric as it is exposed now, by what came in the last week; undefined: nothing was exposed. */
export type Pace = (segment: string, metric: string) => number | undefined;

/** What came lately, for each day and part that was exposed: widening speeds it up at once. */
export async function paceOf(db: Sql, rollout: RolloutRecord, now: Date): Promise<Pace> {
  const today = dayOf(rollout, now);
  const fromDay = Math.max(0, today - LATELY_DAYS);
  const counting = rollout.builds.filter(({ counts }) => counts).map(({ version }) => version);
  const counts = await db
    .selectFrom('day_count')
    .select(['segment', 'metric', 'build', 'events'])
    .where('rollout_id', '=', rollout.id)
    .where('arm', '=', 'candidate')
    .where('day', '>=', fromDay)
    .execute();
  const spans = await db
    .selectFrom('exposure')
    .select(['segment', 'exposure', 'from_at', 'until_at'])
    .where('rollout_id', '=', rollout.id)
    .execute();
  const beginMs = rollout.started_at.getTime() + fromDay * rollout.plan.dayMs;
  const exposedDays = (segment: string): number =>
    spans
      .filter((span) => span.segment === segment)
      .reduce((sum, { exposure, from_at, until_at }) => {
        const ms = (until_at ?? now).getTime() - Math.max(beginMs, from_at.getTime());
        return sum + (exposure / WHOLE) * (Math.max(0, ms) / rollout.plan.dayMs);
      }, 0);
  return (segment, metric) => {
    const open = spans.find((span) => span.segment === segment && span.until_at === null);
    const days = exposedDays(segment);
    if (open === undefined || days === 0) return undefined;
    const events = counts
      .filter(
        (one) =>
          one.segment === segment &&
          one.metric === metric &&
          (one.build === SOURCE_BUILD || counting.includes(one.build)),
      )
      .reduce((sum, one) => sum + one.events, 0);
    return (events / days) * (open.exposure / WHOLE);
  };
}
