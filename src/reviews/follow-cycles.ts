import type { Services } from '../services.ts';
import { gatherDueFacts } from './cycle-facts.ts';
import { remindOfReviews } from './remind.ts';
import { scorePredictions } from './score.ts';

/** What follows the end of a cycle by itself: its facts, reminders of its review, and the score of what was predicted. */
export async function followCycles(services: Services): Promise<void> {
  await gatherDueFacts(services);
  await remindOfReviews(services);
  await scorePredictions(services);
}
