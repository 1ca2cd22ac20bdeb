import { sql } from 'kysely';
import { type Actor, requireRole } from '../actor.ts';
import { withoutDeadlock } from '../db/failure.ts';
import { isUuid } from '../db/uuid.ts';
import type { Metric } from '../domain/agent.ts';
import { valueProblem, weighed } from '../domain/evidence/measure.ts';
import { AppError } from '../errors.ts';
import { noSuchAction } from '../records/action.ts';
import { bodyOf } from '../records/log-entry.ts';
import type { Services } from '../services.ts';

/** One measured fact about an action: what it weighs is said by the metric (`weighed`). */
export interface OutcomeInput {
  id: string;
  action: string;
  metric: string;
  value: number;
  /** Of a ratio only: what the value is set against. */
  per?: number | undefined;
}

export interface OutcomesRecorded {
  recorded: number;
  repeated: number;
}

/**
 * Records a batch of outcomes: each with the counts it changes, all or nothing, idempotent by id. They inherit
 * segment, arm and release from their action.
 * @throws AppError `invalid_input` naming the outcome, `conflict` when an id stands for another fact
 */
export async function recordOutcomes(
  services: Services,
  actor: Actor,
  { agent, outcomes }: { agent: string; outcomes: readonly OutcomeInput[] },
): Promise<OutcomesRecorded> {
  requireRole(actor, ['agent', 'release-manager'], agent);
  const world = await services.worlds.get(agent);
  if (!world) throw new AppError('unknown_agent', `Agent "${agent}" is not known`);
  const { metrics } = world.agent;
  const now = services.clock.now();
  const said = JSON.stringify(
    outcomes.map((one) => {
      const handed = ownMetric(metrics, one.metric)?.measures === 'hand-over';
      return { ...saidOf(one, weightOf(agent, metrics, one), { agent, actor, now }), handed };
    }),
  );
  const recorded = await withoutDeadlock(() =>
    services.db.sql.transaction().execute(async (tx) => {
      const { rows } = await sql<{ status: OutcomeStatus }>`
        SELECT status FROM record_outcomes(${agent}, ${said}::jsonb, ${now}, ${actor.id}) ORDER BY n`.execute(
        tx,
      );
      for (const [n, { status }] of rows.entries()) refuse(status, outcomes[n]);
      return rows.filter(({ status }) => status === 'recorded').length;
    }),
  );
  services.wake();
  return { recorded, repeated: outcomes.length - recorded };
}

type OutcomeStatus = 'recorded' | 'repeated' | 'unknown' | 'conflict';

/** The outcome as the store takes it, with what it weighs and its log entry. @throws AppError `not_found` */
function saidOf(
  { id, action, metric, value, per }: OutcomeInput,
  weight: number,
  { agent, actor, now }: { agent: string; actor: Actor; now: Date },
) {
  if (!isUuid(action)) throw noSuchAction(action);
  const perText = per === undefined ? undefined : String(per);
  const data = { id, metric, value: String(value), per: perText };
  const entry = bodyOf({ kind: 'outcome.recorded', agent, ref: action, at: now, actor: actor.id, data });
  return { id, action, metric, value, per, weight, entry };
}

/** @throws AppError `not_found`, `conflict`: then nothing of the batch is recorded */
function refuse(status: OutcomeStatus, outcome: OutcomeInput | undefined): void {
  if (status === 'unknown') throw noSuchAction(outcome?.action ?? '');
  if (status !== 'conflict') return;
  throw new AppError(
    'conflict',
    `Outcome "${outcome?.id}" was recorded before with another value, metric or action`,
  );
}

const ownMetric = (metrics: Readonly<Record<string, Metric>>, name: string): Metric | undefined =>
  Object.hasOwn(metrics, name) ? metrics[name] : undefined;

/** @throws AppError `invalid_input` naming the outcome */
function weightOf(
  agent: string,
  metrics: Readonly<Record<string, Metric>>,
  { id, metric: name, value, per }: OutcomeInput,
): number {
  const metric = ownMetric(metrics, name);
  const problem = metric ? valueProblem(metric, value, per) : `agent "${agent}" has no metric "${name}"`;
  if (metric === undefined || problem !== undefined)
    throw new AppError('invalid_input', `Outcome "${id}": ${problem}`);
  return weighed(metric, value);
}
