import { proxyActivities } from '@temporalio/workflow';
import type { PlannedMove, RolloutActivities } from '../activities/rollouts.ts';
import type { Move, RolloutFacts, VerdictFacts } from '../src/domain/rollout/phase.ts';

/*
 * What runs of before `Patch.AskForMove` recorded. Never changed: the rule as it is now is in the domain, and reaches
 * these runs with their next round.
 */

const before = proxyActivities<RolloutActivities>({
  startToCloseTimeout: '30s',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});
const read = proxyActivities<RolloutActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '200ms', maximumInterval: '30s' },
});

const SOONEST_MS = 50;

/** The next move, decided in the workflow. */
export async function planAsBefore(id: string): Promise<PlannedMove> {
  const facts = await read.readRollout(id);
  const { revision, segments } = facts;
  return { move: moveAsBefore(facts), planned: { id, revision, segments } };
}

/** Each kind of move by its own activity. */
export async function makeAsBefore({ move, planned }: PlannedMove): Promise<void> {
  if (move.do === 'lock-baseline') await before.lockBaseline(planned);
  if (move.do === 'ask-person') await before.askForGate(planned);
  if (move.do === 'enter-step') await before.enterStep(planned, move.stepIndex);
  if (move.do === 'complete') await before.completeRollout(planned);
}

/** The rule of the version that decided in the workflow. */
export function moveAsBefore(facts: RolloutFacts): Move {
  if (facts.status !== 'running' && facts.status !== 'paused') return { do: 'end' };
  const step = stepOf(facts);
  const evidenceLacks = lacksEvidence(facts);
  const isStopped = facts.status === 'paused' || facts.disabled;
  const isHeld = facts.heldForVersion !== null || facts.segments.some(({ state }) => state === 'rolled_back');
  const leftMs = step.days * facts.dayMs - facts.elapsedMs;
  const lookAgainMs = Math.max(SOONEST_MS, evidenceLacks ? facts.dayMs / 24 : facts.dayMs);
  if (isStopped || isHeld || leftMs > 0 || evidenceLacks) {
    const ms = isStopped || leftMs <= 0 ? lookAgainMs : Math.max(SOONEST_MS, Math.ceil(leftMs));
    return { do: 'wait', ms };
  }
  if (step.phase === 'baseline' && !facts.baselineLocked) return { do: 'lock-baseline' };
  if (step.gate.approve && facts.gateApprovedBy === null)
    return facts.gateTold ? { do: 'wait', ms: lookAgainMs } : { do: 'ask-person' };
  return facts.stepIndex + 1 < facts.steps.length
    ? { do: 'enter-step', stepIndex: facts.stepIndex + 1 }
    : { do: 'complete' };
}

function stepOf(facts: RolloutFacts): RolloutFacts['steps'][number] {
  const step = facts.steps[facts.stepIndex];
  if (!step) throw new RangeError(`a rollout has no step ${facts.stepIndex}`);
  return step;
}

function lacksEvidence(facts: RolloutFacts): boolean {
  const { gate } = stepOf(facts);
  const exposed = facts.segments.filter(({ state, exposure }) => state === 'exposed' && exposure > 0);
  return exposed.some(({ segment }) =>
    facts.guardrails.some((metric) => {
      const found = facts.verdicts.find((one) => one.segment === segment && one.metric === metric);
      return (found?.known ?? 0) < gate.sample || !isGood(gate.verdicts, found);
    }),
  );
}

function isGood(wanted: 'no-breach' | 'ok', found: VerdictFacts | undefined): boolean {
  const word = found?.verdict ?? 'no-data';
  const isQuiet = word === 'inconclusive' || (word === 'no-data' && (found?.events ?? 0) === 0);
  return word === 'ok' || (wanted === 'no-breach' && isQuiet);
}
