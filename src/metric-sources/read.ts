import { countsOf, type MetricSource, type SourceCounts, type SourceWords } from '../domain/metric-source.ts';
import { SourceFailure } from '../net/source-failure.ts';
import type { Asked } from './asked.ts';
import type { SourceCredentials } from './credentials.ts';
import { askHttp } from './http.ts';
import { askPrometheus } from './prometheus.ts';
import { askSql } from './sql.ts';

/** It was answered, and with what is no count. */
export class NoCount extends SourceFailure {}

/** The time that is asked about, and of whom. */
export interface SourceQuestion {
  release: string;
  segment: string;
  arm: string;
  from: Date;
  to: Date;
}

/** What a source was asked and answered; `none`: it knows of no such events, which of a new release may be true. */
export type SourceAnswer =
  | { none: true; sent: readonly string[] }
  | { counts: SourceCounts; sent: readonly string[] };

/**
 * Counts by a source what happened in a time. The same question has the same answer, however often it is asked: what is
 * read twice, or comes late, counts once.
 * @throws SourceFailure it cannot be reached, is not set up, or says what is no count
 */
export async function readSource(
  source: MetricSource,
  question: SourceQuestion,
  credentials: SourceCredentials,
): Promise<SourceAnswer> {
  const { sent, said } = await ask(source, wordsOf(question), credentials);
  if (said === undefined) return { none: true, sent };
  const counts = countsOf(said);
  if ('problem' in counts) throw new NoCount(counts.problem);
  return { counts, sent };
}

function ask(source: MetricSource, words: SourceWords, credentials: SourceCredentials): Promise<Asked> {
  if (source.prometheus) return askPrometheus(source.prometheus, words, credentials);
  if (source.sql) return askSql(source.sql, words, credentials);
  if (source.http) return askHttp(source.http, words, credentials);
  throw new SourceFailure('its counts are sent to the service: nothing is asked');
}

/** A window of whole seconds, as PromQL takes it: at least one. */
const wordsOf = ({ release, segment, arm, from, to }: SourceQuestion): SourceWords => ({
  release,
  segment,
  arm,
  window: `${Math.max(1, Math.floor((to.getTime() - from.getTime()) / 1_000))}s`,
  from: from.toISOString(),
  to: to.toISOString(),
});
