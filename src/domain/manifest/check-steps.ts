import type { Agent } from '../agent.ts';
import { suggest } from '../nearest.ts';
import { type CheckProblem, type ManifestPath, sentence } from '../problem.ts';
import { approvalOf, type Grant, type Release, toolsOf } from '../release.ts';
import { planSegments, planSteps, type Step } from '../rollout/steps.ts';
import { checkApproval, writesOf } from './check-approval.ts';
import { writtenStep } from './step-path.ts';

/** What the steps hold the candidate to: who confirms, which tools, how much; and that all of it was tried at the end. */
export function checkSteps(release: Release, agent: Agent): CheckProblem[] {
  const steps = planSteps(release.rollout, planSegments(agent));
  return [
    ...checkTools(release, steps),
    ...checkAsks(release, steps, agent),
    ...checkCounted(release, steps, agent),
    ...checkLast(release, steps),
  ];
}

/** Where the manifest says it of a step; the rollout where the step is one of the defaults. */
function pathOf(step: Step, steps: readonly Step[], { rollout }: Release, member: string): ManifestPath {
  const found = writtenStep(step, steps, rollout);
  return found ? [...found.path, member] : ['rollout'];
}

/** A tool that was granted in one step is not taken back by the next: that is a rollback. */
function checkTools(release: Release, steps: readonly Step[]): CheckProblem[] {
  const granted = [...new Set(release.grants.filter(({ deny }) => deny === undefined).flatMap(toolsOf))];
  return steps.flatMap((step, at) => {
    if (step.tools === undefined) return [];
    const path = pathOf(step, steps, release, 'tools');
    const unknown = step.tools.findIndex((tool) => !granted.includes(tool));
    if (unknown >= 0) {
      const tool = step.tools[unknown] ?? '';
      const hint = sentence(suggest(tool, granted));
      return [{ path: [...path, unknown], message: `No grant of this release covers "${tool}"`, hint }];
    }
    const before = steps[at - 1];
    if (before === undefined || before.phase === 'baseline') return [];
    const gone = (before.tools ?? granted).find((tool) => !step.tools?.includes(tool));
    if (gone === undefined) return [];
    const message = `Step ${step.index + 1} takes "${gone}" back, which the step before grants`;
    return [{ path, message, hint: `Add ${gone}; to take it back, roll back` }];
  });
}

const isGroupless = (grant: Grant, agent: Agent): boolean =>
  grant.deny === undefined && approvalOf(grant) === undefined && writesOf(grant, agent).length > 0;

/** Who confirms where each write asks and the grant asks nobody: who is named, or the only group there is. */
export function asksOf({ rollout }: Pick<Release, 'rollout'>, { approvers }: Agent): string | undefined {
  const [only, ...others] = Object.keys(approvers);
  return rollout.asks ?? (others.length === 0 ? only : undefined);
}

/** Where each write asks, somebody is asked. What is only adopted takes no steps. */
function checkAsks(release: Release, steps: readonly Step[], agent: Agent): CheckProblem[] {
  const { rollout, grants } = release;
  if (rollout.asks === 'none')
    return [
      { path: ['rollout', 'asks'], message: '"none" confirms nothing', hint: 'Name an approver group' },
    ];
  if (rollout.asks !== undefined)
    return checkApproval({ ...(grants[0] as Grant), approval: rollout.asks }, ['rollout', 'asks'], agent);
  if (rollout.guardrails.length === 0 || asksOf(release, agent) !== undefined) return [];
  const step = steps.find((one) => one.writes === 'ask' && isExposed(one));
  const early = rollout.guardrails.find((guardrail) => guardrail.early?.ask !== undefined);
  const at = grants.findIndex((grant) => isGroupless(grant, agent));
  const grant = grants[at];
  if ((step ?? early) === undefined || grant === undefined) return [];
  const [tool] = writesOf(grant, agent);
  const who = step ? `Step ${step.index + 1} of the rollout` : `"early" of guardrail "${early?.metric}"`;
  return [
    {
      path: ['grants', at, 'approval'],
      message: `${who} asks for each write, and this grant asks nobody for "${tool}"`,
      hint: `Write asks: <group> under rollout${step ? ', or writes: as-granted at the step' : ''}`,
    },
  ];
}

const isExposed = ({ exposure }: Step): boolean => Object.values(exposure).some((part) => part > 0);

/** What only counts unasked writes counts nothing where each write asks. */
function checkCounted(release: Release, steps: readonly Step[], agent: Agent): CheckProblem[] {
  const unasked = release.rollout.guardrails.find(
    ({ metric, action }) =>
      action === 'rollback' &&
      agent.metrics[metric]?.decidedBy === 'policy' &&
      agent.metrics[metric]?.source === undefined,
  );
  const step = steps.find(
    (one) => one.writes === 'ask' && (one.gate.sample > 0 || one.gate.verdicts === 'ok') && isExposed(one),
  );
  if (unasked === undefined || step === undefined) return [];
  return [
    {
      path: pathOf(step, steps, release, 'gate'),
      message: `Step ${step.index + 1} waits for events of "${unasked.metric}", which counts unasked writes only, and each write asks there`,
      hint: 'Write writes: as-granted at the step, or a guardrail on what people deny or correct',
    },
  ];
}

/** What comes in force at the end was tried before as it is then. */
function checkLast(release: Release, steps: readonly Step[]): CheckProblem[] {
  const last = steps.at(-1);
  if (last === undefined || !isExposed(last)) return [];
  const held = (['tools', 'limits'] as const).find((member) => last[member] !== undefined);
  const member = held ?? (last.writes === 'ask' ? 'writes' : undefined);
  if (member === undefined) return [];
  const what = { tools: 'only a part of the tools', limits: 'limits of its own', writes: 'each write asked' };
  return [
    {
      path: pathOf(last, steps, release, member),
      message: `The plan ends with ${what[member]}, and would then come in force without`,
      hint: `Add a last step without ${member === 'writes' ? 'writes: ask' : member}`,
    },
  ];
}
