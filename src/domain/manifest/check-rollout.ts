import { type Agent, type Metric, segmentNames } from '../agent.ts';
import { allotAlpha, sharesOf, weightOf } from '../evidence/alpha.ts';
import type { GuardrailLimit } from '../evidence/baseline.ts';
import { EARLY_MEASURES } from '../evidence/early.ts';
import { isWeighed, unjudgeable } from '../evidence/measure.ts';
import { nearest, suggest } from '../nearest.ts';
import { type CheckProblem, type ManifestPath, sentence } from '../problem.ts';
import type { Release, RolloutPlan } from '../release.ts';
import { exposedIn, planSegments, planSteps, type Step } from '../rollout/steps.ts';
import { checkSubject } from '../subject.ts';
import { unknownPerson } from './check-people.ts';
import { writtenStep } from './step-path.ts';

const PERCENT_BASIS_POINTS = 100;

/** What a release's rollout gets wrong: unknown names, exposures that fall, a guardrail declared twice. */
export function checkRollout({ rollout }: Release, agent: Agent): CheckProblem[] {
  const unknown = checkSegmentNames(rollout, agent);
  const steps = planSteps(rollout, planSegments(agent));
  return [
    ...unknown,
    ...checkSubject(rollout.subject, ['rollout', 'subject'], agent),
    ...(unknown.length === 0 ? [...checkExposures(rollout, steps), ...checkEnd(rollout, steps)] : []),
    ...checkGuardrails(rollout, agent, steps),
    ...checkPerDay(rollout, agent),
    ...checkPairs(rollout),
    ...checkEarly(rollout, exposedIn(steps, segmentNames(agent))),
    ...(rollout.signedOffBy === undefined
      ? []
      : unknownPerson(agent, ['rollout', 'signedOffBy'], rollout.signedOffBy)),
  ];
}

function checkSegmentNames(rollout: RolloutPlan, agent: Agent): CheckProblem[] {
  const known = segmentNames(agent);
  return (['constrained', 'scale'] as const).flatMap((phase) =>
    (rollout[phase] ?? []).flatMap(({ exposure }, at) =>
      unknownSegments(Object.keys(exposure), known, ['rollout', phase, at, 'exposure']),
    ),
  );
}

const unknownSegments = (
  names: readonly string[],
  known: readonly string[],
  path: ManifestPath,
): CheckProblem[] =>
  names
    .filter((name) => name !== '*' && !known.includes(name))
    .map((name) => ({
      path: [...path, name],
      atKey: true,
      message: `There is no segment "${name}"`,
      hint: `${sentence(suggest(name, known))}${nearest(name, known).length > 0 ? '' : '; "*" is every other'}`,
    }));

/** Taking a permission back is a rollback with its own record, never a step of the plan. */
function checkExposures(rollout: RolloutPlan, steps: readonly Step[]): CheckProblem[] {
  return steps.flatMap((step, at) => {
    const before = steps[at - 1];
    if (!before) return [];
    const falls = Object.entries(step.exposure).find(
      ([name, exposure]) => exposure < (before.exposure[name] ?? 0),
    );
    if (!falls) return [];
    const [segment, exposure] = falls;
    const least = (before.exposure[segment] ?? 0) / PERCENT_BASIS_POINTS;
    const message = `The exposure of "${segment}" falls from ${least} % to ${exposure / PERCENT_BASIS_POINTS} %`;
    return [
      {
        path: pathOf(step, steps, rollout, segment),
        message,
        hint: `Write ${least} or more; to take it back, roll back`,
      },
    ];
  });
}

/** What comes in force at the end was seen by everyone before: a segment that is exposed ends at 100 %. */
function checkEnd(rollout: RolloutPlan, steps: readonly Step[]): CheckProblem[] {
  const last = steps.at(-1);
  const [part] = Object.entries(last?.exposure ?? {}).filter(
    ([, exposure]) => exposure > 0 && exposure < 10_000,
  );
  if (!last || !part) return [];
  const [segment, exposure] = part;
  return [
    {
      path: pathOf(last, steps, rollout, segment),
      message: `The plan ends with "${segment}" at ${exposure / PERCENT_BASIS_POINTS} %, and would then jump to 100 %`,
      hint: 'Add a last step with 100',
    },
  ];
}

/** Where the manifest sets this exposure; the phase before, when the step comes from the defaults. */
function pathOf(step: Step, steps: readonly Step[], rollout: RolloutPlan, segment: string): ManifestPath {
  if (step.phase === 'baseline') return ['rollout'];
  const found = writtenStep(step, steps, rollout);
  if (found === undefined) return ['rollout', step.phase === 'scale' ? 'constrained' : 'baseline'];
  const named = Object.hasOwn(found.written.exposure, segment);
  return [...found.path, 'exposure', named ? segment : '*'];
}

/** Harms a day are said by segment. */
function checkPerDay({ guardrails }: RolloutPlan, agent: Agent): CheckProblem[] {
  const known = segmentNames(agent);
  return guardrails.flatMap(({ perDay }, at) =>
    typeof perDay === 'object'
      ? unknownSegments(Object.keys(perDay), known, ['rollout', 'guardrails', at, 'perDay'])
      : [],
  );
}

/** Of a ratio any cap bounds it: what it is set against may be nothing. */
const neverOk = ({ kind, cap }: Metric, limit: GuardrailLimit): boolean =>
  isWeighed({ kind }) && (cap === undefined || (kind === 'sum' && typeof limit === 'number' && cap <= limit));

const noCap = ({ kind, cap }: Metric): string =>
  cap === undefined ? `a ${kind} without a cap proves nothing` : `a cap of ${cap} is not above the limit`;

/** What a breach always comes before is never done. */
function checkEarly({ guardrails, alpha }: RolloutPlan, exposed: readonly string[]): CheckProblem[] {
  const isTwice = new Set(guardrails.map(({ metric }) => metric)).size < guardrails.length;
  if (isTwice || !guardrails.some(({ early }) => early)) return [];
  const allotted = allotAlpha({ guardrails: sharesOf(guardrails), startingSegments: exposed });
  return guardrails.flatMap(({ metric, early = {} }, at) =>
    exposed.slice(0, 1).flatMap((segment) => {
      const breachAt = 1 / (alpha * weightOf(allotted, metric, segment));
      return EARLY_MEASURES.filter((measure) => (early[measure] ?? 0) >= breachAt).map((measure) => ({
        path: ['rollout', 'guardrails', at, 'early', measure],
        message: `A breach of "${metric}" comes at an e-value of ${Number(breachAt.toPrecision(4))}, before this`,
        hint: 'Write less',
      }));
    }),
  );
}

/** Only what is judged can be judged together. */
function checkPairs({ pairs = [], guardrails }: RolloutPlan): CheckProblem[] {
  const guarded = guardrails.map(({ metric }) => metric);
  return pairs.flatMap((pair, at) =>
    pair.flatMap((metric, n): CheckProblem[] => {
      const path = ['rollout', 'pairs', at, n];
      if (!guarded.includes(metric))
        return [
          { path, message: `No guardrail is on "${metric}"`, hint: sentence(suggest(metric, guarded)) },
        ];
      return pair.indexOf(metric) === n
        ? []
        : [{ path, message: `"${metric}" is in it twice`, hint: 'Name each metric once' }];
    }),
  );
}

function checkGuardrails(rollout: RolloutPlan, agent: Agent, steps: readonly Step[]): CheckProblem[] {
  const waitsForOk = steps.some(({ gate }) => gate.verdicts === 'ok');
  const seen = new Set<string>();
  return rollout.guardrails.flatMap((guardrail, at) => {
    const { metric, limit } = guardrail;
    const path = ['rollout', 'guardrails', at, 'metric'];
    if (!Object.hasOwn(agent.metrics, metric)) {
      const hint = `Declare it under metrics of the agent, or ${suggest(metric, Object.keys(agent.metrics))}`;
      return [{ path, message: `There is no metric "${metric}"`, hint }];
    }
    const declared = agent.metrics[metric];
    const [problem] = declared ? unjudgeable(declared, guardrail) : [];
    if (problem)
      return [
        {
          path,
          message: `Guardrail "${metric}" cannot act: ${problem}`,
          hint: 'Change the metric or the limit',
        },
      ];
    const policy = guardrail.on?.inconclusive ?? 'as-gate';
    const needsOk = policy === 'wait' || (policy === 'as-gate' && waitsForOk);
    if (declared && neverOk(declared, limit) && needsOk)
      return [
        {
          path,
          message: `Guardrail "${metric}" can never be ok, and a step waits until it is: ${noCap(declared)}`,
          hint: `Write the "cap" of the metric, which something must enforce, verdicts: no-breach at the gates, or on: { inconclusive: pass }`,
        },
      ];
    const idle =
      guardrail.action === 'report' ? (['on', 'early'] as const).find((one) => guardrail[one]) : undefined;
    if (idle)
      return [
        {
          path: ['rollout', 'guardrails', at, idle],
          message: `Guardrail "${metric}" only reports: what a verdict does has no effect`,
          hint: `Leave "${idle}" out, or write action: rollback`,
        },
      ];
    if (seen.size < seen.add(metric).size) return [];
    return [{ path, message: `Metric "${metric}" has two guardrails`, hint: 'Keep the stricter one' }];
  });
}
