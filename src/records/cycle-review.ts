import { sql } from 'kysely';
import type { Sql } from '../db/database.ts';
import type { CycleEnding } from '../domain/review/cycle.ts';
import { AppError } from '../errors.ts';

/** As many that are owed are named. */
const OWED_MAX = 20;

/** How a cycle of a rollout ended. */
export interface EndedCycle {
  ending: CycleEnding;
  because: string;
  at: Date;
  by: string;
}

/**
 * Opens the review of a cycle, in the transaction that ends the cycle: no ending without its review. Rollbacks of segments
 * open it in SQL (`rollback_segment`), whoever calls it.
 */
export async function openCycleReview(
  tx: Sql,
  { id }: { id: string },
  { ending, because, at, by }: EndedCycle,
): Promise<void> {
  await sql`SELECT open_cycle_review(${id}, ${ending}, NULL, ${because}, ${at}, ${by})`.execute(tx);
}

/**
 * Every cycle of an agent that ended has its review.
 * @throws AppError `review_due` naming the one that is owed longest, and who is still needed
 */
export async function requireReviewed(tx: Sql, agent: string): Promise<void> {
  const owed = await tx
    .selectFrom('cycle_review')
    .select(['id', 'rollout_id', 'because', 'state', 'written_by'])
    .where('agent', '=', agent)
    .where('settled_at', 'is', null)
    .orderBy('opened_at')
    .limit(OWED_MAX)
    .execute();
  const [first] = owed;
  if (!first) return;
  const { id, rollout_id: rollout, because, state, written_by: writer } = first;
  const [needs, hint] =
    state === 'due'
      ? ['is not written', `portcullis reviews cycle write ${id} review.yaml`]
      : [
          `goes against what the criteria recommend, and nobody besides ${writer} stands for it`,
          `portcullis reviews cycle second ${id} --reason "..."`,
        ];
  const more = owed.length > 1 ? `; ${owed.length - 1} more of this agent are owed` : '';
  throw new AppError(
    'review_due',
    `Cannot start: the review ${id} of a cycle that ended ${needs} (rollout ${rollout}: ${because})${more}`,
    { reviews: owed.map((one) => one.id), rollout, hint },
  );
}
