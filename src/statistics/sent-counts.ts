import { type Actor, requireRole } from '../actor.ts';
import type { SourceCounts } from '../domain/metric-source.ts';
import { manifestOf } from '../records/manifest.ts';
import { type OtlpQuestion, otlpCounts } from '../rollouts/otlp-counts.ts';
import type { Services } from '../services.ts';

/**
 * What OpenTelemetry's exporters sent for a metric, as a rollout would count it.
 * @throws AppError `forbidden`, `unknown_agent`
 */
export async function sentCounts(
  { db }: Pick<Services, 'db'>,
  actor: Actor,
  question: OtlpQuestion,
): Promise<SourceCounts> {
  requireRole(actor, ['agent', 'release-manager', 'auditor'], question.agent);
  await manifestOf(db.sql, question.agent);
  return otlpCounts(db.sql, question);
}
