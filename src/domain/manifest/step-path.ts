import type { ManifestPath } from '../problem.ts';
import type { RolloutPlan } from '../release.ts';
import type { Step } from '../rollout/steps.ts';

/** Where the manifest writes a step, and the step as it is written there; `undefined` for one of the defaults. */
export function writtenStep(step: Step, steps: readonly Step[], rollout: RolloutPlan) {
  if (step.phase === 'baseline') return undefined;
  const at = step.index - steps.findIndex(({ phase }) => phase === step.phase);
  const written = rollout[step.phase]?.[at];
  const path: ManifestPath = ['rollout', step.phase, at];
  return written && { path, written };
}
