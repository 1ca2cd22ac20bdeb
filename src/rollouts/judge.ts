import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import { POOLED_SEGMENT } from '../domain/evidence/alpha.ts';
import { breachText, firedBy } from '../domain/evidence/facts.ts';
import { groupBy } from '../domain/group-by.ts';
import { JUDGE } from '../domain/rollout/paused.ts';
import { figures } from '../records/figures.ts';
import { appendEntry } from '../records/log-entry.ts';
import {
  type FrozenGuardrail,
  isWatchOver,
  type RolloutRecord,
  rolloutById,
  stepOf,
} from '../records/rollout.ts';
import type { VerdictRecord } from '../records/verdict.ts';
import type { Services } from '../services.ts';
import { takeEarly } from './early.ts';
import { countEvidence, judgeGuardrail } from './evidence.ts';
import { failuresOf, throwFirst } from './failures.ts';
import { holdForSpread, holdForVerdict, isSpread } from './hold.ts';
import { rollBack } from './roll-back.ts';
import { tellWorkflow } from './tell.ts';

interface Due {
  rollout_id: string;
  segment: string;
  since: Date;
  n: number;
}

/**
 * Judges every rollout and segment whose counts changed, each rollout once over all its segments, and rolls back at once
 * what breaches: Temporal up or not, in holds and while a person is asked. One that fails does not keep the others
 * waiting. Returns how many it looked at.
 */
export async function judgeDue(services: Services): Promise<number> {
  await countEvidence(services.db.sql);
  const due = await services.db.sql
    .selectFrom('judge_queue')
    .selectAll()
    .orderBy('since')
    .limit(100)
    .execute();
  const own = groupBy(due, ({ rollout_id }) => rollout_id);
  throwFirst(await failuresOf(own, ([id, ofIt]) => judgeRollout(services, id, ofIt)));
  return due.length;
}

/**
 * Has every exposed segment judged again: evidence ripens, and silence becomes no-data, without any new count. Also
 * what a lost queue entry would be found by.
 */
export async function queueExposed({ db, clock }: Services): Promise<void> {
  await sql`SELECT queue_judgement(s.rollout_id, s.segment, ${clock.now()})
    FROM rollout_segment s JOIN rollout r ON r.id = s.rollout_id
    WHERE s.state = 'exposed' AND (r.ended_at IS NULL OR r.status = 'completed') AND r.watch_ended_at IS NULL`.execute(
    db.sql,
  );
}

/**
 * Judges all of one rollout that is exposed, and what is due of it.
 * @throws Error what could not be judged
 */
export async function judgeExposed(services: Services, id: string): Promise<void> {
  const { sql: db } = services.db;
  await sql`SELECT queue_judgement(s.rollout_id, s.segment, ${services.clock.now()}) FROM rollout_segment s
    WHERE s.rollout_id = ${id} AND s.state = 'exposed'`.execute(db);
  const due = await db.selectFrom('judge_queue').selectAll().where('rollout_id', '=', id).execute();
  await judgeRollout(services, id, due);
}

/** One that cannot be judged keeps no other from being: its segment stays due, and is tried again. @throws Error why */
async function judgeRollout(services: Services, id: string, due: readonly Due[]): Promise<void> {
  const rollout = await rolloutById(services.db.sql, id);
  if (rollout.watch_ended_at !== null) return takeOff(services, due);
  const judge = async (segment: string, since: Date) =>
    throwFirst(
      await failuresOf(rollout.plan.guardrails, (guardrail) =>
        judgeOne(services, rollout, guardrail, segment, since),
      ),
    );
  const judged: Due[] = [];
  const apart = await failuresOf(due, async (item) => {
    await judge(item.segment, item.since);
    judged.push(item);
  });
  const together = await failuresOf(due.slice(0, 1), ({ since }) => judge(POOLED_SEGMENT, since));
  // Only now: a crash on the way leaves it queued.
  if (together.length === 0) await takeOff(services, judged);
  throwFirst([...apart, ...together]);
}

/** Only if nothing changed since it was read. */
async function takeOff({ db }: Services, judged: readonly Due[]): Promise<void> {
  for (const { rollout_id, segment, n } of judged)
    await db.sql
      .deleteFrom('judge_queue')
      .where('rollout_id', '=', rollout_id)
      .where('segment', '=', segment)
      .where('n', '=', n)
      .execute();
}

async function judgeOne(
  services: Services,
  rollout: RolloutRecord,
  guardrail: FrozenGuardrail,
  segment: string,
  since: Date,
) {
  const { sql: db } = services.db;
  const generation = await generationOf(db, rollout.id, segment);
  const before = await db
    .selectFrom('verdict')
    .selectAll()
    .where('rollout_id', '=', rollout.id)
    .where('segment', '=', segment)
    .where('generation', '=', generation)
    .where('metric', '=', guardrail.metric)
    .executeTakeFirst();
  const now = services.clock.now();
  const record = await judgeGuardrail(db, rollout, guardrail, segment, {
    // Of one whose watch is over: as it stood then, however late it is judged.
    now: isWatchOver(rollout, now) ? (rollout.watch_until ?? now) : now,
    judgedAt: now,
    minSample: stepOf(rollout).gate.sample,
    firedBefore: before ? firedBy(before.record as VerdictRecord) : [],
    generation,
  });
  await saveVerdict(services, rollout, segment, generation, record, before?.verdict, now);
  if (guardrail.action !== 'rollback') return;
  if (holdsOn(guardrail, record.verdict))
    await holdForVerdict(services, rollout.id, { segment, generation }, record);
  if (segment === POOLED_SEGMENT && isSpread(record) && rollout.spread_held_at === null)
    await holdForSpread(services, rollout, record);
  if (record.verdict !== 'breach' || holdsOn(guardrail, 'breach')) {
    const { early } = guardrail;
    if (segment !== POOLED_SEGMENT)
      await takeEarly(
        services,
        rollout,
        { segment, generation },
        { early, taken: before?.early ?? [], record },
      );
    return;
  }
  await rollBackBreach(services, rollout, segment, generation, record, since);
}

/** Whether a verdict pauses the rollout, as the release says. */
const holdsOn = ({ on }: FrozenGuardrail, verdict: VerdictRecord['verdict']): boolean =>
  verdict !== 'ok' && verdict !== 'inconclusive' && on?.[verdict] === 'hold';

/** A segment's own; for the pooled process their sum, which rises whenever any of them does. */
async function generationOf(db: Sql, rolloutId: string, segment: string): Promise<number> {
  let query = db.selectFrom('rollout_segment').select('generation').where('rollout_id', '=', rolloutId);
  if (segment !== POOLED_SEGMENT) query = query.where('segment', '=', segment);
  return (await query.execute()).reduce((sum, row) => sum + row.generation, 0);
}

async function saveVerdict(
  services: Services,
  rollout: RolloutRecord,
  segment: string,
  generation: number,
  record: VerdictRecord,
  before: string | undefined,
  now: Date,
): Promise<void> {
  const row = { verdict: record.verdict, record: JSON.stringify(record), judged_at: now };
  await services.db.sql.transaction().execute(async (tx) => {
    await tx
      .insertInto('verdict')
      .values({ rollout_id: rollout.id, segment, generation, metric: record.metric, ...row })
      .onConflict((conflict) =>
        conflict.columns(['rollout_id', 'segment', 'generation', 'metric']).doUpdateSet({
          ...row,
          held: sql`CASE WHEN verdict.verdict = ${record.verdict} THEN verdict.held END`,
        }),
      )
      .execute();
    if (record.verdict === before) return;
    await appendEntry(tx, {
      kind: 'rollout.verdict',
      agent: rollout.agent,
      ref: rollout.id,
      at: now,
      actor: JUDGE,
      data: { generation, before: before ?? null, ...(figures(record) as object) },
    });
    await tellWorkflow(tx, rollout.id);
  });
  if (record.verdict !== before) services.wake();
}

async function rollBackBreach(
  services: Services,
  rollout: RolloutRecord,
  segment: string,
  generation: number,
  verdict: VerdictRecord,
  breachAt: Date,
): Promise<void> {
  const cause = { actor: JUDGE, because: breachText(verdict), verdict, breachAt };
  if (segment !== POOLED_SEGMENT) {
    await rollBack(services, rollout.id, [{ segment, generation }], cause);
    return;
  }
  const { rows } = await sql<{
    segment: string;
    generation: number;
  }>`SELECT segment, generation FROM rollout_segment
    WHERE rollout_id = ${rollout.id} AND state = 'exposed'`.execute(services.db.sql);
  await rollBack(services, rollout.id, rows, cause);
}
