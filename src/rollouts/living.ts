import { firedBy, type Process } from '../domain/evidence/facts.ts';
import type { VerdictRecord } from '../records/verdict.ts';

/**
 * A process that fired starts afresh in the next generation; one that did not (a rollback by hand, another guardrail, its
 * companion) keeps its sums.
 */
export function ofLiving<Row extends { segment: string; generation: number }>(
  rows: readonly Row[],
  breaches: readonly VerdictRecord[],
  process: Process,
): Row[] {
  const spent = breaches.filter((breach) => firedBy(breach).includes(process));
  return rows.filter(
    (row) => !spent.some(({ generations }) => row.generation <= (generations[row.segment] ?? 0)),
  );
}
