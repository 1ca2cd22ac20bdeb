import type { cardFacts } from './facts.ts';

/** A state of an action and what its card must say of it. */
export interface CardCase {
  name: string;
  facts: Parameters<typeof cardFacts>[0];
  decision: string;
  execution: string;
  /** Lines that stand somewhere on the card, exactly. */
  lines?: string[];
  /** `action_id` of every button and menu, but the one that opens the page. */
  buttons: string[];
}
