import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { type EarlyMeasure, earlyDue, meanLogE } from '../domain/evidence/early.ts';
import { eValueOf } from '../domain/evidence/eprocess.ts';
import type { Early } from '../domain/release.ts';
import { closeGateFor } from '../records/gate.ts';
import { type RolloutRecord, rolloutById } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { pause, tell } from './hold.ts';
import { evidenceFacts } from './rollback-report.ts';

interface Place {
  segment: string;
  generation: number;
}

/**
 * Does what the release says of evidence that does not suffice for a breach, each measure once in a generation of the segment:
 * each write asks people there, the rollout is paused, the exposure goes back a step. On-call is told.
 */
export async function takeEarly(
  services: Pick<Services, 'db' | 'clock' | 'wake'>,
  rolloutId: string,
  place: Place,
  { early, record }: { early: Early | undefined; record: VerdictRecord },
): Promise<void> {
  const due = earlyDue(early, record);
  if (due.length === 0 || (await areTaken(services.db.sql, rolloutId, place, record.metric, due))) return;
  const now = services.clock.now();
  await closeGateFor(services, async (tx) => {
    const rollout = await rolloutById(tx, rolloutId);
    const claimed = await claim(tx, rolloutId, place, record.metric, due);
    // What has completed serves everybody: there is nothing to hold and no step to go back to.
    const measures = rollout.ended_at ? claimed.filter((measure) => measure === 'ask') : claimed;
    if (measures.length === 0) return false;
    const exposure = await narrow(tx, rollout, place, measures, now);
    const holds = measures.some((measure) => measure !== 'ask');
    const because = becauseOf(place.segment, record, measures, exposure);
    if (holds) await pause(tx, rollout, { now, because });
    await tell(tx, rollout, now, {
      kind: 'rollout.early_response',
      alert: holds ? 'rollout.held' : 'rollout.tightened',
      because,
      facts: { segment: place.segment, ...evidenceFacts(record) },
      data: {
        segment: place.segment,
        metric: record.metric,
        measures: measures.join(', '),
        exposure: exposure === undefined ? null : String(exposure),
      },
    });
    return true;
  });
}

/** Without the gate: what was done already is nothing to hold anybody up for. */
async function areTaken(
  db: Sql,
  rolloutId: string,
  { segment, generation }: Place,
  metric: string,
  due: readonly EarlyMeasure[],
): Promise<boolean> {
  const row = await db
    .selectFrom('verdict')
    .select('early')
    .where('rollout_id', '=', rolloutId)
    .where('segment', '=', segment)
    .where('generation', '=', generation)
    .where('metric', '=', metric)
    .executeTakeFirst();
  return due.every((measure) => row?.early.includes(measure));
}

/** Those that nobody took, of a segment that is exposed as it was judged. */
async function claim(
  tx: Sql,
  rolloutId: string,
  { segment, generation }: Place,
  metric: string,
  due: readonly EarlyMeasure[],
): Promise<EarlyMeasure[]> {
  const { rows } = await sql<{ early: string[] }>`
    WITH known AS (
      SELECT v.early FROM verdict v JOIN rollout_segment s USING (rollout_id, segment, generation)
      WHERE v.rollout_id = ${rolloutId} AND v.segment = ${segment} AND v.generation = ${generation} AND v.metric = ${metric}
        AND s.state = 'exposed' FOR UPDATE
    )
    UPDATE verdict v SET early = ARRAY(SELECT DISTINCT unnest(v.early || ${[...due]}::text[])) FROM known
    WHERE v.rollout_id = ${rolloutId} AND v.segment = ${segment} AND v.generation = ${generation} AND v.metric = ${metric}
    RETURNING known.early`.execute(tx);
  const [before] = rows;
  return before ? due.filter((measure) => !before.early.includes(measure)) : [];
}

/** @returns the new exposure, where it shrinks */
async function narrow(
  tx: Sql,
  rollout: RolloutRecord,
  { segment }: Place,
  measures: readonly EarlyMeasure[],
  now: Date,
): Promise<number | undefined> {
  const { exposure } = await tx
    .selectFrom('rollout_segment')
    .select('exposure')
    .where('rollout_id', '=', rollout.id)
    .where('segment', '=', segment)
    .executeTakeFirstOrThrow();
  const smaller = measures.includes('shrink') ? smallerThan(rollout, segment, exposure) : undefined;
  const set = {
    ...(measures.includes('ask') && { asks: true }),
    ...(smaller !== undefined && { exposure: smaller, changed_at: now, because: 'shrunk' }),
  };
  if (Object.keys(set).length > 0)
    await tx
      .updateTable('rollout_segment')
      .set(set)
      .where('rollout_id', '=', rollout.id)
      .where('segment', '=', segment)
      .execute();
  return smaller;
}

/** What the plan exposed before, else half: in hundredths of a percent. */
function smallerThan({ plan }: RolloutRecord, segment: string, exposure: number): number {
  const before = plan.steps
    .map((step) => step.exposure[segment] ?? 0)
    .filter((part) => part > 0 && part < exposure);
  return before.length > 0 ? Math.max(...before) : Math.max(1, Math.floor(exposure / 2));
}

const WORDS: Readonly<Record<EarlyMeasure, string>> = {
  ask: 'each write asks people there (rollout ease)',
  hold: 'the rollout is paused (rollout resume)',
  shrink: 'its exposure goes back',
};

function becauseOf(
  segment: string,
  record: VerdictRecord,
  measures: readonly EarlyMeasure[],
  exposure: number | undefined,
): string {
  const done = measures.map((measure) =>
    measure === 'shrink' && exposure !== undefined
      ? `its exposure goes back to ${exposure / 100} %, and the rollout is paused`
      : WORDS[measure],
  );
  const eValue = eValueOf(meanLogE(record)).toPrecision(4);
  return `${segment}: ${record.metric} may be worse than its limit (e-value ${eValue}, no breach yet): ${done.join('; ')}`;
}
