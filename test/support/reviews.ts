import type { WrittenReview } from '../../src/domain/review/cycle.ts';
import { gatherFacts } from '../../src/reviews/cycle-facts.ts';
import { listCycleReviews } from '../../src/reviews/cycle-list.ts';
import { writeCycleReview } from '../../src/reviews/write.ts';
import type { Services } from '../../src/services.ts';
import { managerActor } from './fixtures.ts';

const A_WEEK_MS = 7 * 86_400_000;

/** What an owner of `desk` might write; `more` replaces parts. */
export function reviewInput(now: Date, more: Partial<WrittenReview> = {}): WrittenReview {
  const by = new Date(now.getTime() + A_WEEK_MS).toISOString().slice(0, 10);
  return {
    cause: {
      mechanism: 'over_grant',
      confidence: 'medium',
      text: 'Cancellations run unasked where the fare has no refund',
      refutedBy: 'The same share of wrong cancellations where people were asked',
    },
    next: { sentence: 'Ask a person where the fare has no refund', owner: 'olga', by },
    prediction: { metric: 'wrong', segment: 'gold', from: 0.2, to: 0.05, by },
    ...more,
  };
}

/** Every cycle that ended is reviewed, as recommended: another rollout may start. */
export async function givenReviewed(services: Services): Promise<void> {
  for (const owed of await listCycleReviews(services.db.sql, { owed: true })) {
    const { recommendation } = await gatherFacts(services, owed);
    const input = reviewInput(services.clock.now());
    const metric = await metricOf(services, owed.agent);
    await writeCycleReview(services, managerActor(), owed.id, {
      ...input,
      prediction: { ...input.prediction, metric, segment: 'default' },
      decision: recommendation as WrittenReview['decision'],
    });
  }
}

async function metricOf({ db }: Services, agent: string): Promise<string> {
  const { manifest } = await db.sql
    .selectFrom('agent')
    .select('manifest')
    .where('name', '=', agent)
    .executeTakeFirstOrThrow();
  return Object.keys(manifest.metrics)[0] ?? 'wrong';
}
