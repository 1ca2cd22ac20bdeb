import { type Actor, requireRole } from '../actor.ts';
import { withoutDeadlock } from '../db/failure.ts';
import type { Metric } from '../domain/agent.ts';
import { valueProblem, weighed } from '../domain/evidence/measure.ts';
import { AppError } from '../errors.ts';
import { actionById } from '../records/action.ts';
import { appendEntry } from '../records/log-entry.ts';
import type { Services } from '../services.ts';
import { knowEvent } from './event.ts';

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
  const weights = outcomes.map((outcome) => weightOf(agent, metrics, outcome));
  const now = services.clock.now();
  const recorded = await withoutDeadlock(() =>
    services.db.sql.transaction().execute(async (tx) => {
      let fresh = 0;
      for (const [at, outcome] of outcomes.entries()) {
        const action = await actionById(tx, outcome.action);
        if (action.agent !== agent) throw new AppError('not_found', `There is no action "${outcome.action}"`);
        const inserted = await tx
          .insertInto('outcome')
          .values({
            agent,
            id: outcome.id,
            action_id: action.id,
            metric: outcome.metric,
            value: outcome.value,
            per: outcome.per ?? null,
            reported_by: actor.id,
            received_at: now,
          })
          .onConflict((conflict) => conflict.doNothing())
          .returning('id')
          .executeTakeFirst();
        if (!inserted) {
          await assertSameOutcome(tx, agent, outcome, action.id);
          continue;
        }
        fresh++;
        if (Object.hasOwn(action.counts, outcome.metric))
          await knowEvent(tx, action, outcome.metric, weights[at] as number, now);
        await appendEntry(tx, {
          kind: 'outcome.recorded',
          agent,
          ref: action.id,
          at: now,
          actor: actor.id,
          data: {
            id: outcome.id,
            metric: outcome.metric,
            value: String(outcome.value),
            ...(outcome.per !== undefined && { per: String(outcome.per) }),
          },
        });
      }
      return fresh;
    }),
  );
  services.wake();
  return { recorded, repeated: outcomes.length - recorded };
}

/** @throws AppError `invalid_input` naming the outcome */
function weightOf(
  agent: string,
  metrics: Readonly<Record<string, Metric>>,
  { id, metric: name, value, per }: OutcomeInput,
): number {
  const metric = Object.hasOwn(metrics, name) ? metrics[name] : undefined;
  const problem = metric ? valueProblem(metric, value, per) : `agent "${agent}" has no metric "${name}"`;
  if (metric === undefined || problem !== undefined)
    throw new AppError('invalid_input', `Outcome "${id}": ${problem}`);
  return weighed(metric, value);
}

async function assertSameOutcome(
  tx: Services['db']['sql'],
  agent: string,
  outcome: OutcomeInput,
  actionId: string,
) {
  const stored = await tx
    .selectFrom('outcome')
    .selectAll()
    .where('agent', '=', agent)
    .where('id', '=', outcome.id)
    .executeTakeFirstOrThrow();
  const same =
    stored.metric === outcome.metric &&
    stored.value === outcome.value &&
    stored.per === (outcome.per ?? null) &&
    stored.action_id === actionId;
  if (same) return;
  throw new AppError(
    'conflict',
    `Outcome "${outcome.id}" was recorded before with another value, metric or action`,
  );
}
