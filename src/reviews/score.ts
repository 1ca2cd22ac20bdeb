import { sql } from 'kysely';
import { scorePrediction } from '../domain/review/prediction.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

const SCORED_AT_ONCE = 50;

/**
 * Scores what was predicted for a day that is over: by what the segment did from the writing of the review until that day,
 * whichever release served it. @returns how many
 */
export async function scorePredictions(services: Services, agent?: string): Promise<number> {
  const db = services.db.sql;
  const now = services.clock.now();
  let due = db
    .selectFrom('cycle_review')
    .select(['id', 'agent', 'body', 'written_at', 'prediction_due'])
    .where('prediction', '=', 'open')
    .where('prediction_due', '<=', now)
    .orderBy('prediction_due')
    .limit(SCORED_AT_ONCE);
  if (agent) due = due.where('agent', '=', agent);
  const rows = await due.execute();
  for (const { id, agent: of, body, written_at: from, prediction_due: until } of rows) {
    if (!body || !from || !until) continue;
    const { metric, segment } = body.prediction;
    const measured = await measuredOf(services, { agent: of, metric, segment, from, until });
    const manifest = await db
      .selectFrom('agent')
      .select('manifest')
      .where('name', '=', of)
      .executeTakeFirst();
    const lower = manifest?.manifest.metrics[metric]?.direction !== 'higher';
    // Where higher is better, a prediction is of what is good; the counts are of harm.
    const value = measured.value === null || lower ? measured.value : 1 - measured.value;
    const score = scorePrediction(body.prediction, { ...measured, value }, lower);
    await db.transaction().execute(async (tx) => {
      const { numUpdatedRows } = await tx
        .updateTable('cycle_review')
        .set({
          prediction: score,
          measured: JSON.stringify({ value, events: measured.events }),
          scored_at: now,
        })
        .where('id', '=', id)
        .where('prediction', '=', 'open')
        .executeTakeFirst();
      if (numUpdatedRows > 0n)
        await appendEntry(tx, {
          kind: 'review.scored',
          agent: of,
          ref: id,
          at: now,
          actor: 'reviews',
          data: { metric, segment, score, events: measured.events },
        });
    });
  }
  return rows.length;
}

/** The share of harm among what was reported, of the days that lie wholly in the period. */
async function measuredOf(
  { db }: Services,
  question: { agent: string; metric: string; segment: string; from: Date; until: Date },
): Promise<{ value: number | null; events: number }> {
  const { agent, metric, segment, from, until } = question;
  const { rows } = await sql<{ events: number; harms: number }>`
    SELECT coalesce(sum(d.known), 0)::float8 AS events, coalesce(sum(d.harms), 0)::float8 AS harms
    FROM rollout o JOIN day_count d ON d.rollout_id = o.id
    WHERE o.agent = ${agent} AND d.segment = ${segment} AND d.metric = ${metric}
      AND o.started_at + d.day * (o.day_ms::text)::float8 * interval '1 millisecond' >= ${from}
      AND o.started_at + (d.day + 1) * (o.day_ms::text)::float8 * interval '1 millisecond' <= ${until}`.execute(
    db.sql,
  );
  const { events = 0, harms = 0 } = rows[0] ?? {};
  return { value: events > 0 ? harms / events : null, events };
}
