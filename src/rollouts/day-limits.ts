import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { type DayLimit, dayLimit } from '../domain/evidence/day-limit.ts';
import type { Companion } from '../domain/manifest/companions.ts';
import { changedSegments, wholeFrom } from '../domain/rollout/join.ts';
import type { RolloutRecord } from '../records/rollout.ts';
import { rateLimitOf } from './processes.ts';

/**
 * Harms a day that each segment may have in each metric, by what is declared or what the baseline measured. Null: the
 * rollout began before harms were counted, and is judged as it was begun.
 */
export async function dayLimits(tx: Sql, rollout: RolloutRecord, now: Date): Promise<DayLimit[] | null> {
  const { plan, started_at } = rollout;
  if (plan.companions === undefined) return null;
  const days = (segment: string) =>
    Math.max(
      1,
      Math.round((now.getTime() - started_at.getTime()) / plan.dayMs) - wholeFrom(plan.joined, segment),
    );
  const segments = Object.entries(plan.steps.at(-1)?.exposure ?? {}).flatMap(([segment, exposure]) =>
    exposure > 0 ? segment : [],
  );
  const all: DayLimit[] = [];
  for (const companion of plan.companions) {
    const { metric, declared } = companion;
    const guardrail = plan.guardrails.find((one) => one.metric === metric);
    if (guardrail === undefined) continue;
    const volumes = await volumesOf(tx, rollout, companion);
    for (const segment of segments) {
      const { writes = 0, unasked = 0 } = volumes.find((volume) => volume.segment === segment) ?? {};
      const { limit, baselineThin } = rateLimitOf(rollout, guardrail, segment);
      const rate = baselineThin ? undefined : limit;
      const volume = { segment, metric, writes, unasked, days: days(segment) };
      all.push(dayLimit(volume, rate, declared[segment]));
    }
  }
  return all;
}

async function volumesOf(tx: Sql, { id, plan }: RolloutRecord, { tool, proposals }: Companion) {
  const changed = JSON.stringify(changedSegments(plan.joined));
  const { rows } = await sql<{ segment: string; writes: number; unasked: number }>`
    SELECT segment, writes, unasked
    FROM baseline_volume(${id}, ${tool ?? null}, ${proposals}, ${changed}::jsonb)`.execute(tx);
  return rows;
}
