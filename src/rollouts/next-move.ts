import { type Move, nextMove } from '../domain/rollout/phase.ts';
import type { Services } from '../services.ts';
import { rolloutFacts } from './facts.ts';
import { askForGate, closeGate, escalateGate, expireGate } from './gate-moves.ts';
import { completeRollout, enterStep, lockBaseline, type Planned } from './moves.ts';

/** What a rollout does next, and what that was planned from; or first of all that its workflow goes on in another queue. */
export interface PlannedMove {
  move: Move | { do: 'move-on'; taskQueue: string };
  planned: Planned;
}

/** The next move of a rollout by its record and the rules as they are now. */
export async function planMove(services: Services, id: string): Promise<PlannedMove> {
  const facts = await rolloutFacts(services, id);
  const segments = facts.segments.map(({ segment, generation }) => ({ segment, generation }));
  return { move: nextMove(facts), planned: { id, revision: facts.revision, segments } };
}

/** Makes it, unless the record is another one by now. Any number of times the same. */
export async function makeMove(services: Services, { move, planned }: PlannedMove): Promise<boolean> {
  switch (move.do) {
    case 'lock-baseline':
      return lockBaseline(services, planned);
    case 'ask-person':
      return askForGate(services, planned);
    case 'close-gate':
      return closeGate(services, planned);
    case 'escalate-gate':
      return escalateGate(services, planned);
    case 'expire-gate':
      return expireGate(services, planned);
    case 'enter-step':
      return enterStep(services, planned, move.stepIndex);
    case 'complete':
      return completeRollout(services, planned);
    default:
      return false;
  }
}
