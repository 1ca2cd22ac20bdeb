import type { Sql } from '../db/database.ts';
import type { Agent } from '../domain/agent.ts';
import type { RegressionCase } from '../domain/cases/case.ts';
import { schemasDigest, suiteRows } from './store.ts';

/** Since when the tools of a case take other arguments than when it was admitted; taken back when they are the same again. */
export async function markStale(tx: Sql, agent: Agent, now: Date): Promise<void> {
  for (const row of await suiteRows(tx, agent.agent)) {
    const isStale = row.schemas_digest !== schemasDigest(row.body as RegressionCase, agent);
    if (isStale === (row.stale_since !== null)) continue;
    await tx
      .updateTable('regression_case')
      .set({ stale_since: isStale ? now : null })
      .where('agent', '=', row.agent)
      .where('name', '=', row.name)
      .execute();
  }
}
