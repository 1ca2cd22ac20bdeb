import { type Move, nextMove } from '../domain/rollout/phase.ts';
import type { Services } from '../services.ts';
import { rolloutFacts } from './facts.ts';
import { askForGate, completeRollout, enterStep, lockBaseline, type Planned } from './moves.ts';

/** What a rollout does next, and what that was planned from. */
export interface PlannedMove {
  move: Move;
  planned: Planned;
}

/**
 * The next move of a rollout by its record and the rules as they are now. Whoever waits looks again every day all the same:
 * by then another version may know another rule.
 */
export async function planMove(services: Services, id: string): Promise<PlannedMove> {
  const facts = await rolloutFacts(services, id);
  const move = nextMove(facts);
  const segments = facts.segments.map(({ segment, generation }) => ({ segment, generation }));
  return {
    move: move.do === 'wait' ? { do: 'wait', ms: Math.min(move.ms, facts.dayMs) } : move,
    planned: { id, revision: facts.revision, segments },
  };
}

/** Makes it, unless the record is another one by now. Any number of times the same. */
export async function makeMove(services: Services, { move, planned }: PlannedMove): Promise<boolean> {
  switch (move.do) {
    case 'lock-baseline':
      return lockBaseline(services, planned);
    case 'ask-person':
      return askForGate(services, planned);
    case 'enter-step':
      return enterStep(services, planned, move.stepIndex);
    case 'complete':
      return completeRollout(services, planned);
    case 'end':
    case 'wait':
      return false;
  }
}
