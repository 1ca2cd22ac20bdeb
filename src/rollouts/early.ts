import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { type EarlyMeasure, earlyDue, meanLogE } from '../domain/evidence/early.ts';
import { eValueOf } from '../domain/evidence/eprocess.ts';
import type { Early } from '../domain/release.ts';
import { JUDGE } from '../domain/rollout/paused.ts';
import { closeGateFor } from '../records/gate.ts';
import { afterCommit, followRevocation, revoke } from '../records/revocation.ts';
import { lockedRollout, type RolloutRecord, stepOf } from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { pause } from './hold.ts';
import { evidenceFacts } from './rollback-report.ts';
import { tell } from './tell.ts';

interface Place {
  segment: string;
  generation: number;
}

/**
 * Does what the release says of evidence that does not suffice for a breach, each measure once in a generation of the segment:
 * each write asks people there, the rollout is paused, the exposure goes back a step. On-call is told. Of what has completed only a
 * breach takes anything away. `taken`: what was done already, as it was known before.
 */
export async function takeEarly(
  services: Pick<Services, 'db' | 'clock' | 'wake' | 'log'>,
  { id, ended_at }: Pick<RolloutRecord, 'id' | 'ended_at'>,
  place: Place,
  { early, taken: before, record }: { early?: Early; taken: readonly string[]; record: VerdictRecord },
): Promise<void> {
  const due = earlyDue(early, record).filter((measure) => !before.includes(measure));
  if (due.length === 0 || ended_at !== null || !(await isExposed(services.db.sql, id, place))) return;
  const take = (tx: Sql, epoch?: number) =>
    takeIn(tx, id, place, { due, record, epoch, now: services.clock.now() });
  // Who is let through less is told behind the gate; holding takes nothing away.
  const taken = due.every((measure) => measure === 'hold')
    ? await services.db.sql.transaction().execute((tx) => take(tx))
    : await closeGateFor(services, take);
  if (taken === false) return;
  services.wake();
  const { revocation } = taken;
  if (revocation === undefined) return;
  await afterCommit(services.log, revocation, () =>
    followRevocation(services.db.sql, revocation, services.clock.now()),
  );
}

interface Taking {
  due: readonly EarlyMeasure[];
  record: VerdictRecord;
  /** None where only a hold is due. */
  epoch: number | undefined;
  now: Date;
}

/** Those that nobody took, of a rollout that is open and a segment that is exposed as it was judged. */
async function takeIn(
  tx: Sql,
  rolloutId: string,
  place: Place,
  { due, record, epoch, now }: Taking,
): Promise<{ revocation?: number } | false> {
  const measures = await claim(tx, rolloutId, place, record.metric, due);
  if (measures.length === 0) return false;
  // Held until this commits: what raises its revision meanwhile would leave it running.
  const rollout = await lockedRollout(tx, rolloutId);
  const narrowed = await narrow(tx, rollout, place, { measures, epoch, now });
  const holds = measures.some((measure) => measure !== 'ask');
  const because = becauseOf(place.segment, record, measures, narrowed?.exposure);
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
      exposure: narrowed ? String(narrowed.exposure) : null,
    },
  });
  return { revocation: narrowed?.revocation };
}

/** Looked at without the gate: of what is exposed to nobody there is nothing to hold anybody up for. */
async function isExposed(db: Sql, rolloutId: string, { segment, generation }: Place): Promise<boolean> {
  const row = await db
    .selectFrom('rollout_segment')
    .select('segment')
    .where('rollout_id', '=', rolloutId)
    .where('segment', '=', segment)
    .where('generation', '=', generation)
    .where('state', '=', 'exposed')
    .executeTakeFirst();
  return row !== undefined;
}

/** Takes what nobody took, of a segment that is exposed as it was judged; what has completed serves everybody. */
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
        JOIN rollout o ON o.id = v.rollout_id
      WHERE v.rollout_id = ${rolloutId} AND v.segment = ${segment} AND v.generation = ${generation} AND v.metric = ${metric}
        AND s.state = 'exposed' AND o.ended_at IS NULL FOR UPDATE OF v, s
    )
    UPDATE verdict v SET early = ARRAY(SELECT DISTINCT unnest(v.early || ${[...due]}::text[])) FROM known
    WHERE v.rollout_id = ${rolloutId} AND v.segment = ${segment} AND v.generation = ${generation} AND v.metric = ${metric}
    RETURNING known.early`.execute(tx);
  const [before] = rows;
  return before ? due.filter((measure) => !before.early.includes(measure)) : [];
}

/** The new exposure, where it shrinks, and what follows from it: what waited beyond it is void. */
async function narrow(
  tx: Sql,
  rollout: RolloutRecord,
  { segment }: Place,
  { measures, epoch, now }: Pick<Taking, 'epoch' | 'now'> & { measures: readonly EarlyMeasure[] },
): Promise<{ exposure: number; revocation: number } | undefined> {
  const { agent, id } = rollout;
  const own = await tx
    .selectFrom('rollout_segment')
    .select('exposure')
    .where('rollout_id', '=', id)
    .where('segment', '=', segment)
    .executeTakeFirstOrThrow();
  const exposure = measures.includes('shrink') ? smallerThan(rollout, segment, own.exposure) : undefined;
  const set = {
    ...(measures.includes('ask') && { asks: true }),
    ...(exposure !== undefined && { exposure, changed_at: now, because: 'shrunk' }),
  };
  if (Object.keys(set).length > 0)
    await tx
      .updateTable('rollout_segment')
      .set(set)
      .where('rollout_id', '=', id)
      .where('segment', '=', segment)
      .execute();
  if (exposure === undefined || epoch === undefined) return undefined;
  const candidate = { agent, rollout: id, segment, arm: 'candidate', because: 'tightened' } as const;
  return { exposure, revocation: await revoke(tx, { ...candidate, epoch, at: now, actor: JUDGE }) };
}

/** What the plan exposed before, else half, in hundredths of a percent; nothing where it was taken back already. */
function smallerThan(rollout: RolloutRecord, segment: string, exposure: number): number | undefined {
  if (exposure < (stepOf(rollout).exposure[segment] ?? 0) || exposure < 2) return undefined;
  const before = rollout.plan.steps
    .map((step) => step.exposure[segment] ?? 0)
    .filter((part) => part > 0 && part < exposure);
  return before.length > 0 ? Math.max(...before) : Math.floor(exposure / 2);
}

const WORDS: Readonly<Record<EarlyMeasure, string>> = {
  ask: 'each write asks people there (rollout ease)',
  hold: 'the rollout is paused (rollout resume)',
  shrink: 'the rollout is paused (rollout resume)',
};

function becauseOf(
  segment: string,
  record: VerdictRecord,
  measures: readonly EarlyMeasure[],
  exposure: number | undefined,
): string {
  const done = measures.map((measure) =>
    measure === 'shrink' && exposure !== undefined
      ? `its exposure goes back to ${exposure / 100} % (rollout ease), and the rollout is paused`
      : WORDS[measure],
  );
  const eValue = eValueOf(meanLogE(record)).toPrecision(4);
  const yet = record.verdict === 'breach' ? '' : ', no breach yet';
  return `${segment}: ${record.metric} may be worse than its limit (e-value ${eValue}${yet}): ${done.join('; ')}`;
}
